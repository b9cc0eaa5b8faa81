/**
 * PaddlePaddle's model files without Python: `load` and `save` with the meaning of `paddle.load` and `paddle.save`, in Deno, Bun, Node
 * and browsers. Import it as a namespace, and the code reads like the Python you know.
 *
 * @example Load, change one variable, save
 * ```ts
 * import * as paddle from "@oarlock/paddle";
 *
 * const bytes = paddle.encode(new Map([["weight", paddle.fromArray([[1, 2], [3, 4]], "float32")]]));
 * const state = paddle.decode(bytes) as paddle.StateDict;
 * (state.get("weight") as paddle.Tensor).set(5, 0, 1);
 * const again = paddle.decode(paddle.encode(state)) as paddle.StateDict;
 * if ((again.get("weight") as paddle.Tensor).at(0, 1) !== 5) throw new Error("lost");
 * ```
 *
 * @module
 */
export * from "./src/audit.ts";
export { decode } from "./src/decode.ts";
export { type DType, DTYPES, isDType } from "./src/dtype.ts";
export { load } from "./src/load.ts";
