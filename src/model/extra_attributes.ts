/**
 * Attributes and outputs that Paddle calls extra: hints for kernels and passes that do not affect results (FORMATS.md 9.2).
 *
 * The tables come from `core.get_op_extra_attrs` and the operators' protos in 2.4.2, 2.5.2, 2.6.2 and 3.3.1, for operators found in
 * inference programs.
 *
 * @module
 */

/** A release line with its own tables: 2.4, 2.5, 2.6, 3.x. */
export type ExtraRelease = "4" | "5" | "6" | "3";

/**
 * Release lines, attributes: operators. What 3.x calls onednn is listed here by its old name, mkldnn.
 */
const EXTRA_ATTRIBUTES = `
4563 Scale_in,Scale_in_eltwise,Scale_weights: conv2d_fusion depthwise_conv2d fused_conv2d fused_conv2d_add_act
4563 Scale_out: conv2d_fusion depthwise_conv2d elementwise_add elementwise_div elementwise_floordiv elementwise_fmax
  elementwise_fmin elementwise_heaviside elementwise_max elementwise_min elementwise_mod elementwise_mul
  elementwise_pow elementwise_sub fused_conv2d fused_conv2d_add_act grad_add
4563 Scale_x,Scale_y: elementwise_add elementwise_div elementwise_floordiv elementwise_fmax elementwise_fmin
  elementwise_heaviside elementwise_max elementwise_min elementwise_mod elementwise_mul elementwise_pow
  elementwise_sub grad_add
4563 custom_neg_classes: nce
4563 data_format: fused_transpose sequence_softmax transpose2
4563 deterministic,force_cpu,rng_name: seed
4563 epmap,height_sections,table_names,trainer_id: lookup_table_v2 nce
4563 exhaustive_search: conv2d conv2d_fusion conv3d depthwise_conv2d
4563 fix_seed,seed: dropout dropout_nd
4563 force_fp32_output: conv2d conv2d_fusion conv2d_transpose conv3d depthwise_conv2d depthwise_conv2d_transpose
  fused_conv2d_add_act mul
4563 fuse_activation,fuse_relu: conv2d_fusion conv2d_transpose conv3d depthwise_conv2d depthwise_conv2d_transpose
  fused_conv2d_add_act
4563 fuse_alpha: conv2d_fusion conv2d_transpose conv3d depthwise_conv2d depthwise_conv2d_transpose fused_conv2d
4563 fuse_beta: conv2d_fusion conv2d_transpose conv3d depthwise_conv2d depthwise_conv2d_transpose fused_conv2d
  fused_conv2d_add_act
4563 fuse_relu_before_depthwise_conv: conv2d_fusion depthwise_conv2d fused_conv2d_add_act
4563 fuse_residual_connection: conv2d_fusion conv3d depthwise_conv2d fused_conv2d_add_act
4563 fuse_with_relu: batch_norm inplace_abn sync_batch_norm
4563 is_distributed,is_sparse,remote_prefetch,slot: lookup_table_v2
4563 is_test: conv2d conv2d_fusion conv2d_transpose conv3d depthwise_conv2d depthwise_conv2d_transpose
  fused_conv2d_add_act gru layer_norm lrn pool2d prelu softmax
4563 mkldnn_data_type: clip concat conv2d_fusion conv2d_transpose conv3d depthwise_conv2d depthwise_conv2d_transpose
  elementwise_add elementwise_div elementwise_floordiv elementwise_fmax elementwise_fmin elementwise_heaviside
  elementwise_max elementwise_min elementwise_mod elementwise_mul elementwise_pow elementwise_sub expand_v2
  fused_conv2d_add_act gelu grad_add layer_norm matmul_v2 pool2d prelu shape slice softmax squeeze2 transpose2
4563 moving_rate: dequantize_linear quantize_linear
4563 scale_out,scale_x,scale_y: mul
4563 skip_eager_deletion_vars: conditional_block pylayer while
4563 slots: distributed_push_sparse
4563 use_addto: conv2d conv2d_fusion conv3d depthwise_conv2d fused_conv2d_add_act
4563 use_cudnn: acosh affine_grid asinh atanh ceil conv2d conv2d_fusion conv2d_transpose conv3d conv3d_transpose cos
  cosh depthwise_conv2d_transpose exp expm1 floor fused_conv2d fused_conv2d_add_act grid_sampler log log10 log1p log2
  logsigmoid reciprocal relu renorm round rsqrt sigmoid silu sin sinh softplus softsign sqrt square tan tanh
  tanh_shrink
4563 use_mkldnn: abs acosh addmm angle asinh atanh batch_norm bicubic_interp_v2 bilinear_interp_v2 ceil clip concat
  conv2d conv2d_fusion conv2d_transpose conv3d conv3d_transpose cos cosh data_norm depthwise_conv2d
  depthwise_conv2d_transpose elementwise_add elementwise_div elementwise_floordiv elementwise_fmax elementwise_fmin
  elementwise_heaviside elementwise_max elementwise_min elementwise_mod elementwise_mul elementwise_pow
  elementwise_sub elu exp expand_v2 expm1 fill_constant floor frobenius_norm fused_conv2d_add_act gelu grad_add
  hard_swish inplace_abn layer_norm leaky_relu linear_interp_v2 log log10 log1p log2 log_softmax logsigmoid lrn
  matmul_v2 mish mul nearest_interp_v2 pad2d pad3d partial_sum pool2d pool3d prelu reciprocal reduce_all reduce_amax
  reduce_amin reduce_any reduce_max reduce_mean reduce_min reduce_prod reduce_sum relu relu6 renorm round rsqrt scale
  shape shuffle_channel sigmoid silu sin sinh slice softmax softplus softsign sqrt square squeeze2 stack swish
  sync_batch_norm tan tanh tanh_shrink transpose2 trilinear_interp_v2
4563 use_quantizer: concat conv2d_fusion depthwise_conv2d elementwise_add elementwise_div elementwise_floordiv
  elementwise_fmax elementwise_fmin elementwise_heaviside elementwise_max elementwise_min elementwise_mod
  elementwise_mul elementwise_pow elementwise_sub fused_conv2d_add_act grad_add pool2d
4563 workspace_size_MB: conv2d conv2d_fusion conv2d_transpose conv3d conv3d_transpose depthwise_conv2d
  depthwise_conv2d_transpose
4563 x_data_format,y_data_format: elementwise_min
3 Scale_data,Shift_data: fusion_gru
3 Scale_in,fuse_alpha,fuse_beta: fc fused_conv3d
3 Scale_in_eltwise: fused_conv3d
3 Scale_out: fc fused_conv3d matmul
3 Scale_weights: fc fused_conv3d fusion_gru
3 Scale_x,Scale_y: matmul
3 force_fp32_output: fc matmul matmul_v2
3 fuse_activation,fused_output_scale,fused_reshape2_shape: fc
3 is_test: sequence_pool
3 mkldnn_data_type: bilinear_interp_v2 cast expand fc flatten_contiguous_range fused_conv2d fused_conv3d fusion_gru
  fusion_lstm matmul reduce_sum relu reshape scale sigmoid split sum
3 slot: lookup_table
3 use_cudnn: fused_conv3d l1_norm sequence_softmax
3 use_mkldnn: bilinear_interp cast correlation expand fc flatten_contiguous_range fused_conv2d fused_conv3d fusion_gru
  fusion_lstm l1_norm nearest_interp partial_concat reshape split sum tdm_child
3 use_quantizer: fc matmul reshape
4
  Scale_in,Scale_in_eltwise,Scale_out,Scale_weights,fuse_activation,fuse_alpha,fuse_beta,fuse_relu,fuse_relu_before_depthwise_conv,fuse_residual_connection:
  conv2d
4 fuse_activation_alpha,fuse_activation_beta,fuse_activation_scale,fuse_activation_type: softplus
4 fused_reshape_Out,fused_reshape_X,fused_reshape_Y,fused_transpose_Out,fused_transpose_X,fused_transpose_Y: matmul_v2
4 overwrite: gather
4 use_cudnn: abs angle gelu
4 use_quantizer: conv2d transpose2
4 x_data_format,y_data_format: elementwise_add elementwise_div elementwise_floordiv elementwise_fmax elementwise_fmin
  elementwise_heaviside elementwise_max elementwise_mod elementwise_mul elementwise_pow elementwise_sub grad_add
43 mkldnn_data_type: conv2d
456 round_type: fake_channel_wise_quantize_abs_max fake_channel_wise_quantize_dequantize_abs_max fake_quantize_abs_max
  fake_quantize_dequantize_abs_max fake_quantize_dequantize_moving_average_abs_max
  fake_quantize_moving_average_abs_max fake_quantize_range_abs_max
63 beta: swish
563 data_format: softmax
63 force_fp32_output,fuse_activation,fuse_alpha,fuse_beta,fuse_relu,is_test: conv2d_transpose_bias
563 mkldnn_data_type: conv2d_transpose_bias reshape2
63 mkldnn_data_type,use_mkldnn,use_quantizer: prior_box
563 seed: randperm
63 threshold: relu6
563 use_cudnn: conv2d_transpose_bias depthwise_conv2d softmax
563 use_mkldnn: baddbmm conv2d_transpose_bias gaussian_random reshape2 sgd
563 use_quantizer: reshape2
`;

/** Operators and their extra outputs in 2.5 and later (flatten2 not in 3.x); earlier releases kept them. */
const EXTRA_OUTPUTS = `
batch_norm:ReserveSpace dequantize_linear:OutState,OutAccum,OutScale dropout:Mask dropout_nd:Mask
einsum:InnerCache,XShape flatten2:XShape flatten_contiguous_range:XShape fused_transpose:XShape
gru:BatchGate,BatchResetHiddenPrev,BatchHidden instance_norm:SavedMean,SavedVariance lstm:BatchGate,BatchCellPreAct
nanmedian:MedianIndex nce:SampleLogits,SampleLabels norm:Norm quantize_linear:OutState,OutAccum,OutScale rrelu:Noise
squeeze2:XShape transpose2:XShape unsqueeze2:XShape
`;

const attributes = new Map<ExtraRelease, Map<string, Set<string>>>();
let outputs: Map<string, readonly string[]> | null = null;

/** Names of the extra attributes of an operator. */
export function extraAttributes(release: ExtraRelease, op: string): ReadonlySet<string> {
  if (!attributes.has(release)) attributes.set(release, readAttributes(release));
  return attributes.get(release)!.get(op) ?? new Set();
}

/** Operators whose output ReserveSpace is extra in 2.5 only. */
const ALSO_IN_5: ReadonlySet<string> = new Set(["inplace_abn", "sync_batch_norm"]);

/** Names of the extra outputs of an operator. */
export function extraOutputs(release: ExtraRelease, op: string): readonly string[] {
  if (release === "4" || (release === "3" && op === "flatten2")) return [];
  if (release === "5" && ALSO_IN_5.has(op)) return ["ReserveSpace"];
  outputs ??= new Map(
    EXTRA_OUTPUTS.trim().split(/\s+/).map((entry) => {
      const [type, slots] = entry.split(":");
      return [type, slots.split(",")];
    }),
  );
  return outputs.get(op) ?? [];
}

function readAttributes(release: ExtraRelease): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const line of EXTRA_ATTRIBUTES.trim().split(/\n(?! )/)) {
    const [marks, names, ...ops] = line.split(/:?\s+/);
    if (!marks.includes(release)) continue;
    for (const op of ops) {
      const own = found.get(op) ?? new Set();
      found.set(op, own);
      for (const name of names.split(",")) {
        own.add(name);
        if (release === "3") own.add(name.replace("mkldnn", "onednn"));
      }
    }
  }
  return found;
}
