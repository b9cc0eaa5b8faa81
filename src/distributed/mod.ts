/**
 * `paddle.distributed`: checkpoints of several processes, put together, and written by one.
 *
 * @module
 */
export { loadMergedStateDict, loadStateDict, type LoadStateDictOptions } from "./load_state_dict.ts";
export { saveStateDict, type SaveStateDictOptions } from "./save_state_dict.ts";
