/**
 * The closed table of symbols that a pickle may name (RULES.md PKL-4, FORMATS.md 3.3). A symbol is a pair of strings that must match
 * exactly, and becomes an inert token. Nothing is imported, and the table cannot be extended.
 *
 * @module
 */

/** What a token stands for, as calls.ts and call_patterns.ts refer to it. */
export type SymbolKind =
  | "reconstruct"
  | "ndarray"
  | "dtype"
  | "scalar"
  | "frombuffer"
  | "encode"
  | "tuple"
  | "list"
  | "set"
  | "frozenset"
  | "bytes"
  | "bytearray"
  | "dict"
  | "object"
  | "complex"
  | "range"
  | "slice"
  | "factory"
  | "eval"
  | "OrderedDict"
  | "defaultdict"
  | "denseTensor"
  | "_rebuild_tensor"
  | "TensorSize"
  | "Size"
  | "record"
  | "generatorState"
  | "numpyType"
  | "reconstructor";

/** Modules, names in each of them, and their kind if it differs from the name. */
const ROWS: readonly (readonly [modules: string, names: string, kind?: SymbolKind])[] = [
  ["builtins __builtin__", "tuple list set frozenset bytes bytearray dict object complex range slice eval"],
  ["builtins __builtin__", "xrange", "range"],
  ["builtins __builtin__", "int float str bool type long unicode", "factory"],
  ["numpy.core.multiarray numpy._core.multiarray", "scalar"],
  ["numpy.core.multiarray numpy._core.multiarray", "_reconstruct", "reconstruct"],
  ["numpy.core.numeric numpy._core.numeric", "_frombuffer", "frombuffer"],
  ["numpy", "ndarray dtype"],
  [
    "numpy",
    "float16 float32 float64 int8 int16 int32 int64 uint8 uint16 uint32 uint64 bool bool_ complex64 complex128 bfloat16",
    "numpyType",
  ],
  [
    "numpy.dtypes",
    "Float16DType Float32DType Float64DType Int8DType Int16DType Int32DType Int64DType UInt8DType UInt16DType UInt32DType UInt64DType " +
    "BoolDType Complex64DType Complex128DType",
    "numpyType",
  ],
  ["_codecs", "encode"],
  ["collections", "OrderedDict defaultdict"],
  ["copyreg copy_reg", "_reconstructor", "reconstructor"],
  ["paddle.framework.io_utils", "_reconstruct_dense_tensor_data", "denseTensor"],
  ["paddle.base.dygraph.math_op_patch", "_rebuild_tensor TensorSize"],
  ["paddle.base.libpaddle", "Size"],
  [
    "paddle.distributed.checkpoint.metadata paddle.distributed.flex_checkpoint.dcp.metadata",
    "Metadata LocalTensorMetadata LocalTensorIndex",
    "record",
  ],
  ["paddle", "dtype", "record"],
  ["paddle.base.libpaddle paddle.fluid.libpaddle", "GeneratorState", "generatorState"],
];

/** Kinds by module and name joined by one space: names from a file that contain spaces never match. */
const TABLE: ReadonlyMap<string, SymbolKind> = new Map(
  ROWS.flatMap(([modules, names, kind]) =>
    modules.split(" ").flatMap((module) =>
      names.split(" ").map((name): [string, SymbolKind] => [`${module} ${name}`, kind ?? name as SymbolKind])
    )
  ),
);

/** Length of the longest module and name in the table: longer ones are not even concatenated for the look-up. */
const LONGEST = Math.max(...[...TABLE.keys()].map((key) => key.length - 1));

/** The kind of a symbol; undefined if it is not in the table. */
export function lookUpSymbol(module: string, name: string): SymbolKind | undefined {
  return module.length + name.length <= LONGEST ? TABLE.get(`${module} ${name}`) : undefined;
}
