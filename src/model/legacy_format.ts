/**
 * Rewrites a ProgramDesc in the form of Paddle 2.4, as Paddle's `legacy_format` does (FORMATS.md 9.2).
 *
 * @module
 */
import type { OpDesc } from "../codec/program/op_desc.ts";
import type { ProgramDesc } from "../codec/program/program_desc.ts";
import { UnsupportedError } from "../errors.ts";
import type { AttributeValue } from "../program.ts";
import { Complex, Float } from "../values.ts";

/** 2.4.2, which Paddle stamps no matter its own version. */
const LEGACY_VERSION = 2_004_002;

/** Operators and their versions in 2.4; 1 is omitted. */
const LEGACY_OPS = `
adam:4 affine_grid allclose:2 arg_max arg_min assign_value:0 auc clip coalesce_tensor:2 collect_fpn_proposals conv2d
conv2d_transpose:2 conv3d conv3d_transpose conv_transpose cudnn_lstm cumsum data_norm depthwise_conv2d
depthwise_conv2d_transpose dequantize distribute_fpn_proposals:2 elementwise_add elementwise_div elementwise_floordiv
elementwise_max elementwise_min elementwise_mod elementwise_mul elementwise_pow elementwise_sub equal expand_as_v2
fake_channel_wise_dequantize_max_abs:2 fake_channel_wise_quantize_abs_max fill_constant:2 flip for_pybind_test__:4
fusion_gru gather gaussian_random generate_proposal_labels:2 generate_proposals:2 generate_proposals_v2 greater_equal
greater_than grid_sampler hard_shrink instance_norm lamb leaky_relu less_equal less_than linspace lookup_table
lookup_table_v2 lstsq matmul matrix_nms mish momentum moving_average_abs_max_scale:2 not_equal p_norm pixel_shuffle print
quantize:2 rank_attention requantize roi_align:3 roi_pool:2 roll:2 seed send_and_recv set_value:3
softmax_with_cross_entropy softplus trace transfer_layout unique_consecutive yolo_box
`;

/** The list attributes of `set_value`, one per dtype; `assign_value` has four of them. */
const LISTS: [name: string, type: string][] = [
  ["bool_values", "INTS"],
  ["fp16_values", "FLOATS"],
  ["fp32_values", "FLOATS"],
  ["fp64_values", "FLOAT64S"],
  ["int32_values", "INTS"],
  ["int64_values", "LONGS"],
];
/** The list for each `dtype` of `assign_value`. Paddle chooses by the Scalars, and thus puts int32 where 2.4 does not look for it. */
const ASSIGNED = new Map([[0, "bool_values"], [2, "int32_values"], [3, "int64_values"], [5, "fp32_values"]]);

/**
 * Rewrite what 2.5 and later express differently from 2.4 (attributes that are Scalars), and stamp the versions of 2.4. Modifies `program`.
 *
 * @throws {UnsupportedError} `UNSUPPORTED_FEATURE`: 2.4 cannot express a value
 */
export function toLegacyFormat(program: ProgramDesc): void {
  for (const op of program.ops()) {
    if (op.type === "set_value") splitValues(op, LISTS, listOfScalars);
    else if (op.type === "assign_value") {
      const names = new Set(ASSIGNED.values());
      splitValues(
        op,
        LISTS.filter(([name]) => names.has(name)),
        () => ASSIGNED.get(Number(op.attributes.get("dtype"))),
      );
    } else if (op.type === "fill_any_like" && op.attributeType("value") === "SCALAR") {
      const value = numberOf(op, op.attributes.get("value")!);
      op.setAttribute("value", value, "FLOAT");
    }
  }
  program.version = LEGACY_VERSION;
  program.opVersions = new Map(
    LEGACY_OPS.trim().split(/\s+/).map((entry) => {
      const [name, version = "1"] = entry.split(":");
      return [name, Number(version)];
    }),
  );
}

/** Move the Scalars in `values` to the list of their dtype, as `chosen` tells; the other `lists` are empty. */
function splitValues(
  op: OpDesc,
  lists: typeof LISTS,
  chosen: (values: readonly AttributeValue[]) => string | undefined,
): void {
  if (op.attributeType("values") !== "SCALARS") return;
  const values = op.attributes.get("values") as readonly AttributeValue[];
  const name = chosen(values);
  if (values.length > 0 && name === undefined) throw unsupported(op);
  const numbers = values.map((value) => numberOf(op, value));
  op.deleteAttribute("values");
  for (const [list, type] of lists) op.setAttribute(list, list === name ? numbers : [], type);
}

/** The list for the dtype of Scalars, which are wide: a float32 has become a float64, an int32 an int64. */
function listOfScalars([first]: readonly AttributeValue[]): string | undefined {
  if (typeof first === "boolean") return "bool_values";
  if (first instanceof Float) return "fp64_values";
  return first instanceof Complex ? undefined : "int64_values";
}

function numberOf(op: OpDesc, value: AttributeValue): number | bigint {
  if (typeof value === "boolean") return Number(value);
  if (value instanceof Float) return value.valueOf();
  if (typeof value === "number" || typeof value === "bigint") return value;
  throw unsupported(op);
}

function unsupported(op: OpDesc): UnsupportedError {
  return new UnsupportedError(
    "UNSUPPORTED_FEATURE",
    `Paddle 2.4 cannot represent the values of ${op.type}: legacyFormat`,
    {
      at: op.type,
    },
  );
}
