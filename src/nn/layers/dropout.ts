/**
 * Dropout layers: they have no parameters or buffers, only their arguments.
 *
 * @module
 */
import { stateless, type StatelessLayerClass } from "./stateless.ts";

/** `paddle.nn.Dropout` (3.3). */
export const Dropout: StatelessLayerClass = /* @__PURE__ */ stateless("Dropout", {
  p: 0.5,
  inplace: false,
  axis: null,
  mode: "upscale_in_train",
  name: null,
});
/** `paddle.nn.Dropout2D` (3.3). */
export const Dropout2D: StatelessLayerClass = /* @__PURE__ */ stateless("Dropout2D", {
  p: 0.5,
  dataFormat: "NCHW",
  name: null,
});
/** `paddle.nn.Dropout3D` (3.3). */
export const Dropout3D: StatelessLayerClass = /* @__PURE__ */ stateless("Dropout3D", {
  p: 0.5,
  dataFormat: "NCDHW",
  name: null,
});
/** `paddle.nn.AlphaDropout` (3.3). */
export const AlphaDropout: StatelessLayerClass = /* @__PURE__ */ stateless("AlphaDropout", { p: 0.5, name: null });
/** `paddle.nn.FeatureAlphaDropout` (3.3). */
export const FeatureAlphaDropout: StatelessLayerClass = /* @__PURE__ */ stateless("FeatureAlphaDropout", {
  p: 0.5,
  name: null,
});
