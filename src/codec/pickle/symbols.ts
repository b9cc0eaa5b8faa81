/**
 * The closed table of symbols that a pickle may name (hardening H-PKL-4, dossier 3.3). A symbol is a pair of strings, looked up byte for
 * byte; what comes back is an inert token. Nothing is imported, and nobody can add to the table.
 *
 * @module
 */

/** What a token stands for: the patterns of calls.ts are written in these words. */
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
  | "record"
  | "generatorState"
  | "numpyType"
  | "reconstructor";

const BUILTINS: [string, SymbolKind][] = [
  ["tuple", "tuple"],
  ["list", "list"],
  ["set", "set"],
  ["frozenset", "frozenset"],
  ["bytes", "bytes"],
  ["bytearray", "bytearray"],
  ["dict", "dict"],
  ["object", "object"],
  ["complex", "complex"],
  ["range", "range"],
  ["xrange", "range"],
  ["slice", "slice"],
  ["int", "factory"],
  ["float", "factory"],
  ["str", "factory"],
  ["bool", "factory"],
  ["type", "factory"],
  ["long", "factory"],
  ["unicode", "factory"],
  ["eval", "eval"],
];
const MULTIARRAY: [string, SymbolKind][] = [["_reconstruct", "reconstruct"], ["scalar", "scalar"]];
const NUMERIC: [string, SymbolKind][] = [["_frombuffer", "frombuffer"]];
const METADATA: [string, SymbolKind][] = [
  ["Metadata", "record"],
  ["LocalTensorMetadata", "record"],
  ["LocalTensorIndex", "record"],
];
const NUMPY_TYPES = [
  "float16",
  "float32",
  "float64",
  "int8",
  "int16",
  "int32",
  "int64",
  "uint8",
  "uint16",
  "uint32",
  "uint64",
  "bool_",
  "complex64",
  "complex128",
  "bfloat16",
];
const NUMPY_DTYPES = [
  "Float16DType",
  "Float32DType",
  "Float64DType",
  "Int8DType",
  "Int16DType",
  "Int32DType",
  "Int64DType",
  "UInt8DType",
  "UInt16DType",
  "UInt32DType",
  "UInt64DType",
  "BoolDType",
  "Complex64DType",
  "Complex128DType",
];
const all = (names: string[], kind: SymbolKind): [string, SymbolKind][] => names.map((name) => [name, kind]);

const TABLE: ReadonlyMap<string, ReadonlyMap<string, SymbolKind>> = new Map(
  ([
    ["builtins", BUILTINS],
    ["__builtin__", BUILTINS],
    ["numpy.core.multiarray", MULTIARRAY],
    ["numpy._core.multiarray", MULTIARRAY],
    ["numpy.core.numeric", NUMERIC],
    ["numpy._core.numeric", NUMERIC],
    ["numpy", [["ndarray", "ndarray"], ["dtype", "dtype"], ...all(NUMPY_TYPES, "numpyType")]],
    ["numpy.dtypes", all(NUMPY_DTYPES, "numpyType")],
    ["_codecs", [["encode", "encode"]]],
    ["collections", [["OrderedDict", "OrderedDict"], ["defaultdict", "defaultdict"]]],
    ["copyreg", [["_reconstructor", "reconstructor"]]],
    ["copy_reg", [["_reconstructor", "reconstructor"]]],
    ["paddle.framework.io_utils", [["_reconstruct_dense_tensor_data", "denseTensor"]]],
    ["paddle.distributed.checkpoint.metadata", METADATA],
    ["paddle.distributed.flex_checkpoint.dcp.metadata", METADATA],
    ["paddle.base.libpaddle", [["GeneratorState", "generatorState"]]],
  ] as [string, [string, SymbolKind][]][]).map(([module, rows]) => [module, new Map(rows)]),
);

/** What the table says of a symbol; undefined for everything that is not in it. */
export function lookUpSymbol(module: string, name: string): SymbolKind | undefined {
  return TABLE.get(module)?.get(name);
}

/** Fields that a record of a distributed checkpoint may have (dossier section 8). */
export const RECORD_FIELDS: ReadonlySet<string> = new Set([
  "tensor_key",
  "global_offset",
  "local_shape",
  "dtype",
  "global_shape",
  "is_flattened",
  "flattened_range",
  "replica_id",
  "state_dict_metadata",
  "storage_metadata",
  "flat_mapping",
  "model_type",
  "checkpoint_version",
  "erniebot_commit_id",
  "paddle_commit_id",
]);
