/**
 * Detects the kind of a file by its first bytes.
 *
 * @module
 */
import { checkedBytes } from "../words/plain_bytes.ts";
import { FormatError } from "../errors.ts";

/** Kinds of files. */
export type FileKind =
  | "empty"
  | "pickle"
  | "tnum"
  | "record"
  | "selected_rows"
  | "program"
  | "pir"
  | "shards"
  | "safetensors"
  | "npy"
  | "zip"
  | "unknown";

interface Foreign {
  /** First bytes, as a latin-1 string. */
  magic: string;
  what: string;
  hint?: string;
  kind?: FileKind;
}

const UNPACK = "Unpack it first.";
const OPEN_ARCHIVE = "openArchive reads the files in it.";
const BROKEN_TEXT: Omit<Foreign, "magic"> = {
  what: "a binary file that was saved as text",
  hint: "That lost its content: copy it as binary.",
};

const FOREIGN: readonly Foreign[] = [
  { magic: "PK\x03\x04", what: "a zip archive", hint: OPEN_ARCHIVE, kind: "zip" },
  { magic: "PK\x05\x06", what: "an empty zip archive", kind: "zip" },
  { magic: "version https://git-lfs", what: "a git-LFS pointer, not the model", hint: "Run: git lfs pull." },
  { magic: "<!", what: "a web page", hint: "The server sent a web page instead of the file." },
  { magic: "<html", what: "a web page", hint: "The server sent a web page instead of the file." },
  { magic: "<?xml", what: "an XML document", hint: "The server may have sent an error message instead of the file." },
  { magic: "{", what: "a JSON document" },
  { magic: "\xef\xbb\xbf{", what: "a JSON document" },
  { magic: "\x89PNG\r\n\x1a\n", what: "a PNG picture" },
  { magic: "\x1f\x8b", what: "a gzip archive", hint: "Unpack it first, or read a .tar.gz with openArchive." },
  { magic: "\x89HDF\r\n\x1a\n", what: "an HDF5 file" },
  { magic: "\x93NUMPY", what: "an .npy file", hint: "Read it with load of @oarlock/paddle/npy.", kind: "npy" },
  { magic: "BZh", what: "a bzip2 archive", hint: UNPACK },
  { magic: "\xfd7zXZ\x00", what: "an xz archive", hint: UNPACK },
  { magic: "7z\xbc\xaf\x27\x1c", what: "a 7z archive", hint: UNPACK },
  { magic: "\x28\xb5\x2f\xfd", what: "a zstd archive", hint: UNPACK },
  { magic: "Rar!\x1a\x07", what: "a RAR archive", hint: UNPACK },
  // U+FFFD, which takes the place of a byte that is not UTF-8, and 0x80 in UTF-8.
  { magic: "\xef\xbf\xbd", ...BROKEN_TEXT },
  { magic: "\xc2\x80", ...BROKEN_TEXT },
  { magic: "GGUF", what: "a GGUF model" },
  { magic: "\x01\x00v", what: "a Paddle Lite .nb model" },
  { magic: "\x02\x00v", what: "a Paddle Lite .nb model" },
  { magic: "\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.", what: "an old PyTorch checkpoint" },
];

/** First bytes of a pickle without PROTO: opcodes that push something, and FRAME. */
const PICKLE_STARTS = "(]})cNILFSVKMJGXUTBC\x88\x89\x8a\x8b\x8c\x8d\x8e\x8f\x95\x96";

/** Number of bytes that suffice to tell the kind of any file. */
export const HEAD_BYTES = 4096;
/** A file that claims more rows is not taken for SelectedRows: this many row numbers fill 128 MiB, all read to see what follows. */
export const MAX_GUESSED_ROWS = 2 ** 24;

/** Maximum size of a tensor's description in bytes; one with 64 axes is smaller. */
export const MAX_TENSOR_DESC = 4096;

/** The kind of a file; `head` is its first 4096 bytes, or all if there are fewer, and `size` its length, if known. */
export function detectKind(head: Uint8Array, size?: number): FileKind {
  head = checkedBytes(head);
  if (head.length === 0) return "empty";
  const text = latin1(head, 264);
  if (text.length >= 260 && text.slice(256, 260) === "TNUM") return "tnum";
  const foreign = foreignOf(text);
  if (foreign && text[0] !== "{") return foreign.kind ?? "unknown";
  // Before pickles: the header's length may also begin with 0x80, but no pickle continues with zeros.
  if (isSafetensors(head, text, size)) return "safetensors";
  if (head[0] === 0x80) return head.length > 1 && head[1] > 0x7f ? "unknown" : "pickle";
  if (isRecord(head)) return isSelectedRows(head) ? "selected_rows" : "record";
  if (isObject(head)) return text.includes('"base_code"') ? "pir" : isShardIndex(head) ? "shards" : "unknown";
  if (isProgram(head)) return "program";
  if (!PICKLE_STARTS.includes(text[0])) return "unknown";
  return !isText(head) || isPickleText(text) ? "pickle" : "unknown";
}

/** Whether bytes start with a JSON object, after any white space. */
export function isObject(bytes: Uint8Array): boolean {
  const start = afterSpace(bytes, 0);
  if (bytes[start] !== 0x7b) return false;
  // A protobuf program can start with the bytes of a line feed and a brace, but not with a quotation mark after them.
  return start === 0 || bytes[afterSpace(bytes, start + 1)] === 0x22;
}

/** Whether a JSON object has the field that an index of a sharded checkpoint has. */
function isShardIndex(head: Uint8Array): boolean {
  return latin1(head, HEAD_BYTES).includes('"weight_map"');
}

function afterSpace(bytes: Uint8Array, at: number): number {
  while (bytes[at] === 0x20 || bytes[at] === 0x0a || bytes[at] === 0x0d || bytes[at] === 0x09) at++;
  return at;
}

/** The error for a file of a kind that is not read: it says what the file is, if that can be told. */
export function foreignError(head: Uint8Array): FormatError {
  const text = latin1(head, 264);
  const isIndex = isObject(head) && isShardIndex(head);
  const foreign = isIndex ? INDEX : foreignOf(text) ?? foreignByStructure(head, text);
  const what = foreign?.what ?? (head.every((b) => b === 0) ? "a file of zeros" : null);
  if (what) {
    const hint = foreign?.hint ?? (foreign ? undefined : "The disk or the download lost its content.");
    return new FormatError("WRONG_FORMAT", `This is ${what}, not a Paddle file.${hint ? " " + hint : ""}`, {
      offset: 0,
      hint,
    });
  }
  const bytes = Array.from(head.subarray(0, 8), (b) => b.toString(16).padStart(2, "0")).join(" ");
  return new FormatError(
    "UNKNOWN_FORMAT",
    `No Paddle file begins with ${bytes}. Is it encrypted, or does it belong to another program?`,
    { offset: 0 },
  );
}

const OURS: ReadonlyMap<FileKind, string> = new Map([
  ["pickle", "a pickle, such as a .pdparams"],
  ["tnum", "parameters of Paddle 1.6's save_dygraph"],
  ["record", "a tensor, such as a .pdiparams"],
  ["selected_rows", "a tensor of SelectedRows"],
  ["safetensors", "a safetensors file"],
  ["program", "a program, such as a .pdmodel"],
  ["pir", "a program in JSON"],
  ["shards", "the index of a sharded checkpoint"],
]);

/** The error for a file recognized as another kind than the expected `due` (`a program`), else null; `cause` is the original error. */
export function otherKindError(
  head: Uint8Array,
  size: number | undefined,
  due: string,
  cause: unknown,
): FormatError | null {
  // An empty file is of no kind.
  if (head.length === 0) return null;
  const kind = detectKind(head, size);
  const ours = OURS.get(kind);
  if (ours) return new FormatError("WRONG_FORMAT", `This is ${ours}, not ${due}`, { offset: 0, cause });
  const { code, message, hint } = foreignError(head);
  return code === "WRONG_FORMAT" ? new FormatError(code, message, { offset: 0, hint, cause }) : null;
}

const INDEX: Foreign = {
  magic: "",
  what: "the index of a sharded checkpoint",
  hint: "Give its path, URL or name, which ends in .index.json.",
};

function foreignOf(text: string): Foreign | undefined {
  const start = text.slice(0, 32);
  const page = text.replace("\xef\xbb\xbf", "").trimStart().slice(0, 32).toLowerCase();
  const foreign = FOREIGN.find(({ magic }) => magic[0] === "<" ? page.startsWith(magic) : start.startsWith(magic));
  return foreign?.kind === "zip" ? { ...foreign, ...contentOfZip(text) } : foreign;
}

/** What a zip archive holds, by the name of its first file. */
function contentOfZip(text: string): Partial<Foreign> | undefined {
  const name = text.slice(30, 30 + text.charCodeAt(26));
  if (name.endsWith("/data.pkl")) {
    return { what: "a PyTorch checkpoint", hint: "Save it in Python with safetensors.torch: load reads that." };
  }
  return name.endsWith(".npy")
    ? { what: "an .npz file", hint: "Read it with loadNpz of @oarlock/paddle/npy." }
    : undefined;
}

function foreignByStructure(head: Uint8Array, text: string): Foreign | undefined {
  if (isSafetensors(head, text, undefined)) return { magic: "", what: "a safetensors file" };
  if (text.slice(257, 262) === "ustar") return { magic: "", what: "a tar archive", hint: OPEN_ARCHIVE };
  // ONNX: field 1, the IR version, then field 2, 7 or 8: the producer's name, the graph, the operator sets.
  if (head.length > 4 && head[0] === 8 && head[1] < 0x80 && [0x12, 0x3a, 0x42].includes(head[2])) {
    return { magic: "", what: "an ONNX model" };
  }
  if (isUtf16(text)) {
    return { magic: "", what: "text in UTF-16", hint: "A shell may have redirected binary output." };
  }
  if (isText(head)) return { magic: "", what: "plain text", hint: "The server may have sent a message instead." };
  return undefined;
}

function latin1(bytes: Uint8Array, most: number): string {
  return String.fromCharCode(...bytes.subarray(0, most));
}

/** u64 header length, then a JSON object. */
function isSafetensors(head: Uint8Array, text: string, size: number | undefined): boolean {
  if (head.length < 10 || text[8] !== "{") return false;
  const length = new DataView(head.buffer, head.byteOffset).getBigUint64(0, true);
  return length >= 2n && length <= BigInt(size ?? Number.MAX_SAFE_INTEGER) - 8n;
}

/** A record begins with the version 0; a file of zeros is none. */
function isRecord(head: Uint8Array): boolean {
  return head.length >= 4 && head.subarray(0, 4).every((b) => b === 0) && !head.every((b) => b === 0);
}

/** A SelectedRows has row numbers and a height before the tensor, where a record has its LoD; see read_record.ts. */
function isSelectedRows(head: Uint8Array): boolean {
  if (head.length < 12) return false;
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const count = view.getUint32(4, true) + view.getUint32(8, true) * 2 ** 32;
  if (count === 0 || count > MAX_GUESSED_ROWS) return false;
  const tensor = 4 + 8 + 8 * count + 8;
  // If the rows end beyond the head, there are hundreds: no LoD has that many levels.
  if (tensor + TENSOR_HEAD > head.length) return head.length >= HEAD_BYTES;
  return isTensorHead(view, tensor) && !isHeightOfNone(view, tensor - 8);
}

/** Number of bytes that {@linkcode isTensorHead} looks at. */
export const TENSOR_HEAD = 9;

/** Whether a tensor's version (0), the length of its description, and that description's first tag seem to be at `at`. */
export function isTensorHead(view: DataView, at: number): boolean {
  const length = view.getInt32(at + 4, true), tag = view.getUint8(at + 8);
  return view.getUint32(at, true) === 0 && length > 1 && length <= MAX_TENSOR_DESC &&
    (tag === 0x08 || tag === 0x10 || tag === 0x12);
}

/** Whether the height at `at` is 0, in which no row can be: these are LoD levels that hold a single offset, 0, which look like rows. */
export function isHeightOfNone(view: DataView, at: number): boolean {
  return view.getBigUint64(at, true) === 0n;
}

/** A program begins with field 1 (a block), length-delimited, which begins with its index. */
function isProgram(head: Uint8Array): boolean {
  if (head[0] !== 0x0a || head.length < 3) return false;
  let i = 1;
  while (i < 6 && head[i] >= 0x80) i++;
  return head[i + 1] === 0x08;
}

/** Whether the first bytes are printable text: prose, or a protocol 0 pickle. */
function isText(head: Uint8Array): boolean {
  const part = head.subarray(0, 64);
  return part.length > 4 && part.every((b) => (b >= 0x20 && b < 0x7f) || b === 0x0a || b === 0x0d || b === 0x09);
}

/** Whether the file begins with a byte order mark, and ASCII text whose characters have a zero each. */
function isUtf16(text: string): boolean {
  return /^(\xff\xfe|\xfe\xff)[\s -~]+$/.test(text.slice(0, 64).replaceAll("\0", ""));
}

/** Whether printable text that begins with an opcode is a protocol 0 pickle. */
function isPickleText(text: string): boolean {
  // Digits and text may go on beyond the head.
  if (/^(\(|S['"]|[IL]-?\d+$|V.{263}$)/.test(text)) return true;
  // A module's name contains no spaces and ends with a newline.
  if (text[0] === "c") return text.includes("\n") && !text.slice(0, text.indexOf("\n")).includes(" ");
  // T, X and B are followed by a four-byte length, which is not printable.
  return !"TXB".includes(text[0]) && text.includes(".");
}
