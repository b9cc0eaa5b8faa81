/**
 * `paddle.distributed`: reads checkpoints that several processes wrote, and writes them from one process.
 *
 * @module
 */
export { loadMergedStateDict, loadStateDict, type LoadStateDictOptions } from "./load_state_dict.ts";
export { saveStateDict, type SaveStateDictOptions } from "./save_state_dict.ts";
