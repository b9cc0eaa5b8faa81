/**
 * The field numbers of `proto/framework.proto` to which the code refers itself. All others are only in the generated table.
 *
 * @module
 */

/** ProgramDesc. */
export const PROGRAM_BLOCKS = 1;
/** BlockDesc. */
export const BLOCK_IDX = 1, BLOCK_PARENT_IDX = 2, BLOCK_VARS = 3, BLOCK_OPS = 4, BLOCK_FORWARD_BLOCK_IDX = 5;
/** OpDesc. */
export const OP_INPUTS = 1, OP_OUTPUTS = 2, OP_TYPE = 3;
/** OpDesc.Var: an input or output slot. */
export const SLOT_PARAMETER = 1, SLOT_ARGUMENTS = 2;
/** OpDesc.Attr. */
export const ATTR_NAME = 1, ATTR_BLOCK_IDX = 12, ATTR_BLOCKS_IDX = 14;
/** VarType.TensorDesc. */
export const TENSOR_DIMS = 2;
