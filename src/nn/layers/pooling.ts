/**
 * Pooling and padding: they have no parameters or buffers, only their arguments.
 *
 * @module
 */
import { REQUIRED } from "../arguments.ts";
import { stateless, type StatelessLayerClass } from "./stateless.ts";

/** `paddle.nn.AvgPool1D` (3.3). */
export const AvgPool1D: StatelessLayerClass = /* @__PURE__ */ stateless("AvgPool1D", {
  kernelSize: REQUIRED,
  stride: null,
  padding: 0,
  exclusive: true,
  ceilMode: false,
  name: null,
});
/** `paddle.nn.AvgPool2D` (3.3). */
export const AvgPool2D: StatelessLayerClass = /* @__PURE__ */ stateless("AvgPool2D", {
  kernelSize: REQUIRED,
  stride: null,
  padding: 0,
  ceilMode: false,
  exclusive: true,
  divisorOverride: null,
  dataFormat: "NCHW",
  name: null,
});
/** `paddle.nn.AvgPool3D` (3.3). */
export const AvgPool3D: StatelessLayerClass = /* @__PURE__ */ stateless("AvgPool3D", {
  kernelSize: REQUIRED,
  stride: null,
  padding: 0,
  ceilMode: false,
  exclusive: true,
  divisorOverride: null,
  dataFormat: "NCDHW",
  name: null,
});
/** `paddle.nn.MaxPool1D` (3.3). */
export const MaxPool1D: StatelessLayerClass = /* @__PURE__ */ stateless("MaxPool1D", {
  kernelSize: REQUIRED,
  stride: null,
  padding: 0,
  returnMask: false,
  ceilMode: false,
  name: null,
});
/** `paddle.nn.MaxPool2D` (3.3). */
export const MaxPool2D: StatelessLayerClass = /* @__PURE__ */ stateless("MaxPool2D", {
  kernelSize: REQUIRED,
  stride: null,
  padding: 0,
  returnMask: false,
  ceilMode: false,
  dataFormat: "NCHW",
  name: null,
});
/** `paddle.nn.MaxPool3D` (3.3). */
export const MaxPool3D: StatelessLayerClass = /* @__PURE__ */ stateless("MaxPool3D", {
  kernelSize: REQUIRED,
  stride: null,
  padding: 0,
  returnMask: false,
  ceilMode: false,
  dataFormat: "NCDHW",
  name: null,
});
/** `paddle.nn.MaxUnPool1D` (3.3). */
export const MaxUnPool1D: StatelessLayerClass = /* @__PURE__ */ stateless("MaxUnPool1D", {
  kernelSize: REQUIRED,
  stride: null,
  padding: 0,
  dataFormat: "NCL",
  outputSize: null,
  name: null,
});
/** `paddle.nn.MaxUnPool2D` (3.3). */
export const MaxUnPool2D: StatelessLayerClass = /* @__PURE__ */ stateless("MaxUnPool2D", {
  kernelSize: REQUIRED,
  stride: null,
  padding: 0,
  dataFormat: "NCHW",
  outputSize: null,
  name: null,
});
/** `paddle.nn.MaxUnPool3D` (3.3). */
export const MaxUnPool3D: StatelessLayerClass = /* @__PURE__ */ stateless("MaxUnPool3D", {
  kernelSize: REQUIRED,
  stride: null,
  padding: 0,
  dataFormat: "NCDHW",
  outputSize: null,
  name: null,
});
/** `paddle.nn.LPPool1D` (3.3). */
export const LPPool1D: StatelessLayerClass = /* @__PURE__ */ stateless("LPPool1D", {
  normType: REQUIRED,
  kernelSize: REQUIRED,
  stride: null,
  padding: 0,
  ceilMode: false,
  dataFormat: "NCL",
  name: null,
});
/** `paddle.nn.LPPool2D` (3.3). */
export const LPPool2D: StatelessLayerClass = /* @__PURE__ */ stateless("LPPool2D", {
  normType: REQUIRED,
  kernelSize: REQUIRED,
  stride: null,
  padding: 0,
  ceilMode: false,
  dataFormat: "NCHW",
  name: null,
});
/** `paddle.nn.FractionalMaxPool2D` (3.3). */
export const FractionalMaxPool2D: StatelessLayerClass = /* @__PURE__ */ stateless("FractionalMaxPool2D", {
  outputSize: REQUIRED,
  kernelSize: null,
  randomU: null,
  returnMask: false,
  name: null,
});
/** `paddle.nn.FractionalMaxPool3D` (3.3). */
export const FractionalMaxPool3D: StatelessLayerClass = /* @__PURE__ */ stateless("FractionalMaxPool3D", {
  outputSize: REQUIRED,
  kernelSize: null,
  randomU: null,
  returnMask: false,
  name: null,
});
/** `paddle.nn.AdaptiveAvgPool1D` (3.3). */
export const AdaptiveAvgPool1D: StatelessLayerClass = /* @__PURE__ */ stateless("AdaptiveAvgPool1D", {
  outputSize: REQUIRED,
  name: null,
});
/** `paddle.nn.AdaptiveAvgPool2D` (3.3). */
export const AdaptiveAvgPool2D: StatelessLayerClass = /* @__PURE__ */ stateless("AdaptiveAvgPool2D", {
  outputSize: REQUIRED,
  dataFormat: "NCHW",
  name: null,
});
/** `paddle.nn.AdaptiveAvgPool3D` (3.3). */
export const AdaptiveAvgPool3D: StatelessLayerClass = /* @__PURE__ */ stateless("AdaptiveAvgPool3D", {
  outputSize: REQUIRED,
  dataFormat: "NCDHW",
  name: null,
});
/** `paddle.nn.AdaptiveMaxPool1D` (3.3). */
export const AdaptiveMaxPool1D: StatelessLayerClass = /* @__PURE__ */ stateless("AdaptiveMaxPool1D", {
  outputSize: REQUIRED,
  returnMask: false,
  name: null,
});
/** `paddle.nn.AdaptiveMaxPool2D` (3.3). */
export const AdaptiveMaxPool2D: StatelessLayerClass = /* @__PURE__ */ stateless("AdaptiveMaxPool2D", {
  outputSize: REQUIRED,
  returnMask: false,
  name: null,
});
/** `paddle.nn.AdaptiveMaxPool3D` (3.3). */
export const AdaptiveMaxPool3D: StatelessLayerClass = /* @__PURE__ */ stateless("AdaptiveMaxPool3D", {
  outputSize: REQUIRED,
  returnMask: false,
  name: null,
});
/** `paddle.nn.Pad1D` (3.3). */
export const Pad1D: StatelessLayerClass = /* @__PURE__ */ stateless("Pad1D", {
  padding: REQUIRED,
  mode: "constant",
  value: 0,
  dataFormat: "NCL",
  name: null,
});
/** `paddle.nn.Pad2D` (3.3). */
export const Pad2D: StatelessLayerClass = /* @__PURE__ */ stateless("Pad2D", {
  padding: REQUIRED,
  mode: "constant",
  value: 0,
  dataFormat: "NCHW",
  name: null,
});
/** `paddle.nn.Pad3D` (3.3). */
export const Pad3D: StatelessLayerClass = /* @__PURE__ */ stateless("Pad3D", {
  padding: REQUIRED,
  mode: "constant",
  value: 0,
  dataFormat: "NCDHW",
  name: null,
});
/** `paddle.nn.ZeroPad1D` (3.3). */
export const ZeroPad1D: StatelessLayerClass = /* @__PURE__ */ stateless("ZeroPad1D", {
  padding: REQUIRED,
  dataFormat: "NCL",
  name: null,
});
/** `paddle.nn.ZeroPad2D` (3.3). */
export const ZeroPad2D: StatelessLayerClass = /* @__PURE__ */ stateless("ZeroPad2D", {
  padding: REQUIRED,
  dataFormat: "NCHW",
  name: null,
});
/** `paddle.nn.ZeroPad3D` (3.3). */
export const ZeroPad3D: StatelessLayerClass = /* @__PURE__ */ stateless("ZeroPad3D", {
  padding: REQUIRED,
  dataFormat: "NCDHW",
  name: null,
});
/** `paddle.nn.ConstantPad1D` (3.3). */
export const ConstantPad1D: StatelessLayerClass = /* @__PURE__ */ stateless("ConstantPad1D", {
  padding: REQUIRED,
  value: REQUIRED,
  dataFormat: "NCL",
  name: null,
});
/** `paddle.nn.ConstantPad2D` (3.3). */
export const ConstantPad2D: StatelessLayerClass = /* @__PURE__ */ stateless("ConstantPad2D", {
  padding: REQUIRED,
  value: REQUIRED,
  dataFormat: "NCHW",
  name: null,
});
/** `paddle.nn.ConstantPad3D` (3.3). */
export const ConstantPad3D: StatelessLayerClass = /* @__PURE__ */ stateless("ConstantPad3D", {
  padding: REQUIRED,
  value: REQUIRED,
  dataFormat: "NCDHW",
  name: null,
});
/** `paddle.nn.CircularPad1D` (3.3). */
export const CircularPad1D: StatelessLayerClass = /* @__PURE__ */ stateless("CircularPad1D", {
  padding: REQUIRED,
  dataFormat: "NCL",
  name: null,
});
/** `paddle.nn.CircularPad2D` (3.3). */
export const CircularPad2D: StatelessLayerClass = /* @__PURE__ */ stateless("CircularPad2D", {
  padding: REQUIRED,
  dataFormat: "NCHW",
  name: null,
});
/** `paddle.nn.CircularPad3D` (3.3). */
export const CircularPad3D: StatelessLayerClass = /* @__PURE__ */ stateless("CircularPad3D", {
  padding: REQUIRED,
  dataFormat: "NCDHW",
  name: null,
});
/** `paddle.nn.ReflectionPad1D` (3.3). */
export const ReflectionPad1D: StatelessLayerClass = /* @__PURE__ */ stateless("ReflectionPad1D", {
  padding: REQUIRED,
  dataFormat: "NCL",
  name: null,
});
/** `paddle.nn.ReflectionPad2D` (3.3). */
export const ReflectionPad2D: StatelessLayerClass = /* @__PURE__ */ stateless("ReflectionPad2D", {
  padding: REQUIRED,
  dataFormat: "NCHW",
  name: null,
});
/** `paddle.nn.ReflectionPad3D` (3.3). */
export const ReflectionPad3D: StatelessLayerClass = /* @__PURE__ */ stateless("ReflectionPad3D", {
  padding: REQUIRED,
  dataFormat: "NCDHW",
  name: null,
});
/** `paddle.nn.ReplicationPad1D` (3.3). */
export const ReplicationPad1D: StatelessLayerClass = /* @__PURE__ */ stateless("ReplicationPad1D", {
  padding: REQUIRED,
  dataFormat: "NCL",
  name: null,
});
/** `paddle.nn.ReplicationPad2D` (3.3). */
export const ReplicationPad2D: StatelessLayerClass = /* @__PURE__ */ stateless("ReplicationPad2D", {
  padding: REQUIRED,
  dataFormat: "NCHW",
  name: null,
});
/** `paddle.nn.ReplicationPad3D` (3.3). */
export const ReplicationPad3D: StatelessLayerClass = /* @__PURE__ */ stateless("ReplicationPad3D", {
  padding: REQUIRED,
  dataFormat: "NCDHW",
  name: null,
});
