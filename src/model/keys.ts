/**
 * Keys that Paddle reserves in a state dict (FORMATS.md 1.3 and 2).
 *
 * @module
 */

/** Maps structured names to parameter names. */
export const NAME_TABLE = "StructuredToParameterName@@";
/** Arrays that were split into slices. */
export const BIG_PARAMS = "UnpackBigParamInfor@@";
/** Versions of the layers, written by the newest Paddle. */
export const METADATA = "__paddle_state_dict_metadata__";
