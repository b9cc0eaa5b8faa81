/**
 * Losses without parameters: they have no parameters or buffers, only their arguments.
 *
 * @module
 */
import { stateless, type StatelessLayerClass } from "./stateless.ts";

/** `paddle.nn.CrossEntropyLoss` (3.3). */
export const CrossEntropyLoss: StatelessLayerClass = /* @__PURE__ */ stateless("CrossEntropyLoss", {
  weight: null,
  ignoreIndex: -100,
  reduction: "mean",
  softLabel: false,
  axis: -1,
  useSoftmax: true,
  labelSmoothing: 0,
  name: null,
});
/** `paddle.nn.MSELoss` (3.3). */
export const MSELoss: StatelessLayerClass = /* @__PURE__ */ stateless("MSELoss", { reduction: "mean" });
/** `paddle.nn.L1Loss` (3.3). */
export const L1Loss: StatelessLayerClass = /* @__PURE__ */ stateless("L1Loss", { reduction: "mean", name: null });
/** `paddle.nn.NLLLoss` (3.3). */
export const NLLLoss: StatelessLayerClass = /* @__PURE__ */ stateless("NLLLoss", {
  weight: null,
  ignoreIndex: -100,
  reduction: "mean",
  name: null,
});
/** `paddle.nn.BCELoss` (3.3). */
export const BCELoss: StatelessLayerClass = /* @__PURE__ */ stateless("BCELoss", {
  weight: null,
  reduction: "mean",
  name: null,
});
/** `paddle.nn.BCEWithLogitsLoss` (3.3). */
export const BCEWithLogitsLoss: StatelessLayerClass = /* @__PURE__ */ stateless("BCEWithLogitsLoss", {
  weight: null,
  reduction: "mean",
  posWeight: null,
  name: null,
});
/** `paddle.nn.KLDivLoss` (3.3). */
export const KLDivLoss: StatelessLayerClass = /* @__PURE__ */ stateless("KLDivLoss", {
  reduction: "mean",
  logTarget: false,
});
/** `paddle.nn.SmoothL1Loss` (3.3). */
export const SmoothL1Loss: StatelessLayerClass = /* @__PURE__ */ stateless("SmoothL1Loss", {
  reduction: "mean",
  delta: 1,
  isHuber: true,
  name: null,
});
/** `paddle.nn.MarginRankingLoss` (3.3). */
export const MarginRankingLoss: StatelessLayerClass = /* @__PURE__ */ stateless("MarginRankingLoss", {
  margin: 0,
  reduction: "mean",
  name: null,
});
/** `paddle.nn.CTCLoss` (3.3). */
export const CTCLoss: StatelessLayerClass = /* @__PURE__ */ stateless("CTCLoss", {
  blank: 0,
  reduction: "mean",
  zeroInfinity: false,
});
/** `paddle.nn.RNNTLoss` (3.3). */
export const RNNTLoss: StatelessLayerClass = /* @__PURE__ */ stateless("RNNTLoss", {
  blank: 0,
  fastemitLambda: 0.001,
  reduction: "mean",
  name: null,
});
/** `paddle.nn.CosineEmbeddingLoss` (3.3). */
export const CosineEmbeddingLoss: StatelessLayerClass = /* @__PURE__ */ stateless("CosineEmbeddingLoss", {
  margin: 0,
  reduction: "mean",
  name: null,
});
/** `paddle.nn.HingeEmbeddingLoss` (3.3). */
export const HingeEmbeddingLoss: StatelessLayerClass = /* @__PURE__ */ stateless("HingeEmbeddingLoss", {
  margin: 1,
  reduction: "mean",
  name: null,
});
/** `paddle.nn.SoftMarginLoss` (3.3). */
export const SoftMarginLoss: StatelessLayerClass = /* @__PURE__ */ stateless("SoftMarginLoss", {
  reduction: "mean",
  name: null,
});
/** `paddle.nn.MultiLabelMarginLoss` (3.3). */
export const MultiLabelMarginLoss: StatelessLayerClass = /* @__PURE__ */ stateless("MultiLabelMarginLoss", {
  reduction: "mean",
  name: null,
});
/** `paddle.nn.MultiLabelSoftMarginLoss` (3.3). */
export const MultiLabelSoftMarginLoss: StatelessLayerClass = /* @__PURE__ */ stateless("MultiLabelSoftMarginLoss", {
  weight: null,
  reduction: "mean",
  name: null,
});
/** `paddle.nn.MultiMarginLoss` (3.3). */
export const MultiMarginLoss: StatelessLayerClass = /* @__PURE__ */ stateless("MultiMarginLoss", {
  p: 1,
  margin: 1,
  weight: null,
  reduction: "mean",
  name: null,
});
/** `paddle.nn.TripletMarginLoss` (3.3). */
export const TripletMarginLoss: StatelessLayerClass = /* @__PURE__ */ stateless("TripletMarginLoss", {
  margin: 1,
  p: 2,
  epsilon: 1e-6,
  swap: false,
  reduction: "mean",
  name: null,
});
/** `paddle.nn.TripletMarginWithDistanceLoss` (3.3). */
export const TripletMarginWithDistanceLoss: StatelessLayerClass = /* @__PURE__ */ stateless(
  "TripletMarginWithDistanceLoss",
  {
    distanceFunction: null,
    margin: 1,
    swap: false,
    reduction: "mean",
    name: null,
  },
);
/** `paddle.nn.GaussianNLLLoss` (3.3). */
export const GaussianNLLLoss: StatelessLayerClass = /* @__PURE__ */ stateless("GaussianNLLLoss", {
  full: false,
  epsilon: 1e-6,
  reduction: "mean",
  name: null,
});
/** `paddle.nn.PoissonNLLLoss` (3.3). */
export const PoissonNLLLoss: StatelessLayerClass = /* @__PURE__ */ stateless("PoissonNLLLoss", {
  logInput: true,
  full: false,
  epsilon: 1e-8,
  reduction: "mean",
  name: null,
});
