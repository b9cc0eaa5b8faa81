/**
 * Replaces some or all bytes of a file in place, with the old ones kept next to it until the new ones are on the disk (RULES.md EDIT-1).
 *
 * The journal `<name>.pdundo` is a header of 72 bytes followed by the old bytes. The header has `PDUNDO2\n`, then as little-endian u64 the
 * id of the process that writes it, the inode and size of the file, and the offset and length of the change, then the first 24 bytes of the
 * SHA-256 of the header so far and the old bytes. An incomplete journal was interrupted before the file was touched, and is ignored.
 *
 * @module
 */
import { isPaddleError, SaveError, SourceError } from "../../errors.ts";
import { pathCalls } from "./path.ts";
import {
  type DiskFile,
  fileSystem,
  type Fs,
  hashing,
  mayUse,
  processId,
  processLives,
  systemCode,
} from "../platform.ts";
import { isSameInode } from "./same_inode.ts";
import { addFailures, saveCodeOf } from "./save_error.ts";
import { syncFolder, syncNames } from "./sync_folder.ts";
import { withRetries } from "./with_retries.ts";
import { writeFully } from "./write_fully.ts";
import { sleep, within } from "../waiting/within.ts";

const END = ".pdundo";
const MAGIC = "PDUNDO2\n";
const HEAD = 72;
const FIELDS = 48;
/** Bytes of a journal that names its writer. */
const NAMED = 16;
/** Milliseconds that a new journal may take to name its writer, and how often it is looked at meanwhile. */
const PATIENCE = 100, LOOKS = 10;
/**
 * Milliseconds without a change to a journal or its file after which the writer counts as gone, although a process has its id: by now, that
 * is another process. `ABANDONED_UNSEEN` applies if this process is not allowed to look for others.
 */
const ABANDONED = 10 * 60_000, ABANDONED_UNSEEN = 60_000;
/** Bytes copied at a time. */
const PIECE = 4 * 2 ** 20;

interface Change {
  pid: number;
  /** The inode of the file, so that another file in its place is left alone; 0 if the system has none. */
  ino: bigint;
  size: number;
  offset: number;
  length: number;
}

/** Changes and recoveries in progress, by path: readers wait for them, too. */
const underWay = new Map<string, Promise<void>>();

/**
 * Replace bytes of the file `real` from `offset` on: after a crash at any moment, the file has either all old or all new bytes. Once no other
 * process can change it in place any more, `check` gets the inode, and throws if it is not the file meant.
 *
 * @throws {SaveError} `committed` is `"no"` if the old bytes are restored
 */
export async function replaceBytes(
  fs: Fs,
  real: string,
  offset: number,
  bytes: Uint8Array,
  { check, signal }: { check?: (ino: bigint) => void; signal?: AbortSignal } = {},
): Promise<void> {
  const part = { offset, length: bytes.length, check };
  await inTurn(real, () => change(fs, real, part, (file) => writeFully(file, bytes, offset), signal), signal);
}

/**
 * Replace the content of the file `real` with that of the file `other`: the file keeps its identity, with its links, access control lists
 * and attributes, and after a crash has either all old or all new bytes. Returns whether the folder was synced at the end.
 *
 * @throws {SaveError} `committed` is `"no"` if the old bytes are restored
 */
export async function replaceFile(fs: Fs, real: string, other: string, signal?: AbortSignal): Promise<boolean> {
  const pour = async (file: DiskFile) => {
    const from = await fs.promises.open(other, "r");
    try {
      const { size } = await from.stat();
      for await (const [piece, at] of piecesOf(from, 0, size)) await writeFully(file, piece, at);
      await file.truncate(size);
    } finally {
      await from.close();
    }
  };
  return await inTurn(real, () => change(fs, real, null, pour, signal), signal);
}

/** Changes and recoveries of the same file wait for each other. An abort of `signal` ends the wait, but not what is waited for. */
async function inTurn<T>(real: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  const before = underWay.get(real);
  const mine = before ? within(before, Infinity, signal).then(work) : work();
  const over: Promise<void> = Promise.allSettled([before, mine]).then(() => {
    if (underWay.get(real) === over) underWay.delete(real);
  });
  underWay.set(real, over);
  return await mine;
}

/** A file that is being changed, and the journal beside it. */
interface Journaled {
  readonly fs: Fs;
  readonly real: string;
  readonly journal: string;
  readonly file: DiskFile;
}

/**
 * Keep the old bytes of `part`, or of the whole file if it is null, then let `write` change the file. Returns whether the folder, from which
 * the journal is gone then, was synced.
 */
async function change(
  fs: Fs,
  real: string,
  part: { offset: number; length: number; check?: (ino: bigint) => void } | null,
  write: (file: DiskFile) => Promise<void>,
  signal?: AbortSignal,
): Promise<boolean> {
  signal?.throwIfAborted();
  await recover(fs, real, "writer");
  const journal = real + END;
  let file: DiskFile;
  try {
    file = await fs.promises.open(real, "r+");
  } catch (error) {
    throw editError(real, "it cannot be opened for writing", error);
  }
  try {
    const { size, ino } = await file.stat({ bigint: true }).catch((error) => {
      throw editError(real, "it cannot be examined", error);
    });
    const whole = { offset: 0, length: Number(size) };
    const kept: Change = { pid: processId(), ino, size: Number(size), ...part ?? whole };
    const journaled = { fs, real, journal, file };
    await keepOldBytes(journaled, kept, part?.check, signal);
    try {
      await write(file);
      await file.sync();
    } catch (error) {
      await undo(journaled, kept, error);
    }
  } finally {
    await letGo(file);
  }
  // The new bytes are on the disk; removing the journal commits them.
  try {
    await withRetries(() => fs.promises.rm(journal, { force: true }));
  } catch (cause) {
    throw new SaveError(
      "WRITE_FAILED",
      `${JSON.stringify(journal)} cannot be removed: the next one to open the file undoes`,
      {
        path: real,
        committed: "unknown",
        leftovers: [journal],
        cause,
      },
    );
  }
  return await syncFolder(fs, pathCalls().dirname(real));
}

async function keepOldBytes(
  { fs, real, journal, file }: Journaled,
  kept: Change,
  check?: (ino: bigint) => void,
  signal?: AbortSignal,
): Promise<void> {
  const failed = (error: unknown) => {
    if (signal?.aborted) return signal.reason;
    if (isPaddleError(error) && error.code !== "SHORT_READ") return error;
    return editError(real, "its old bytes could not be kept", error);
  };
  const handle = await createJournal(fs, journal).catch((error) => {
    throw failed(error);
  });
  try {
    await writeJournal(handle, file, kept, signal);
    await syncNames(fs, pathCalls().dirname(real));
    signal?.throwIfAborted();
    check?.(kept.ino);
  } catch (cause) {
    const error = failed(cause);
    await withRetries(() => fs.promises.rm(journal, { force: true }))
      .catch((failure) => addFailures(error, [failure], [journal]));
    throw error;
  }
}

async function undo({ fs, real, journal, file }: Journaled, change: Change, cause: unknown): Promise<never> {
  try {
    await restore(fs, journal, file, change);
  } catch {
    throw new SaveError(
      saveCodeOf(cause, "WRITE_FAILED"),
      `${JSON.stringify(real)} could neither be changed nor restored: open it again`,
      {
        path: real,
        committed: "unknown",
        leftovers: [journal],
        cause,
      },
    );
  }
  const failed = editError(real, "its old bytes are back", cause);
  // If the journal stays, whoever opens the file next writes the same bytes once more.
  await withRetries(() => fs.promises.rm(journal, { force: true }))
    .catch((error) => addFailures(failed, [error], [journal]));
  throw failed;
}

/**
 * Roll back an interrupted change of `real`. Changes by this process are waited for. Returns whether there was a change of either kind. An
 * abort of `signal` ends the wait; what has begun goes on.
 *
 * @throws {SourceError} `HOT_JOURNAL`: another process is changing the file, or it cannot be written to
 * @throws {SaveError} `CONFLICT`: another process is changing the file that is to be overwritten
 */
export async function recoverFile(
  real: string,
  exists: (path: string) => boolean,
  { by = "reader", signal }: { by?: "reader" | "saver"; signal?: AbortSignal } = {},
): Promise<boolean> {
  const change = underWay.get(real);
  if (change) await within(change, Infinity, signal);
  // There is hardly ever a journal: a synchronous check is faster than a promise.
  if (!exists(real + END)) return change !== undefined;
  // Another one in this process may be putting the old bytes back at the same time.
  await within(inTurn(real, () => recover(fileSystem(real), real, by), signal), Infinity, signal);
  return true;
}

async function recover(fs: Fs, real: string, by: "reader" | "saver" | "writer"): Promise<void> {
  const journal = real + END;
  const hot = (what: string, cause?: unknown) =>
    new SourceError("HOT_JOURNAL", `A change to ${JSON.stringify(real)} is unfinished: ${what}`, {
      path: real,
      cause,
      hint: `${JSON.stringify(journal)} holds the old bytes; opening the file where it is writable puts them back`,
    });
  let change: Change | null, isWriting: boolean;
  try {
    const kept = await fs.promises.open(journal, "r");
    try {
      // Another process may have created it just now. One that was killed between these two calls leaves it empty for good.
      for (let look = 0; look < LOOKS && (await kept.stat()).size < NAMED; look++) await sleep(PATIENCE / LOOKS);
      isWriting = await isUnderWay(fs, real, kept);
      change = await readJournal(kept);
    } finally {
      await letGo(kept);
    }
  } catch (error) {
    // If the file's name is so long that the journal's name does not fit, there is no journal.
    if (["ENOENT", "ENAMETOOLONG"].includes(systemCode(error) ?? "")) return;
    if (by === "writer" && !mayUse(journal, "read")) throw editError(real, "no permission for its journal", error);
    // Its content is unknown: the file may be part old, part new.
    throw hot("its old bytes cannot be read", error);
  }
  if (isWriting) {
    if (change || by === "writer") {
      throw by === "reader" ? hot("another process is working on it") : conflict(journal);
    }
    // It is about to begin: the file is still unchanged.
    return;
  }
  let file: DiskFile;
  try {
    file = await fs.promises.open(real, "r+");
  } catch (error) {
    // An incomplete journal means that the file was not touched.
    if (!change) return;
    throw hot("the file cannot be written", error);
  }
  try {
    if (change && await isFileOf(change, file)) await restore(fs, journal, file, change);
    await fs.promises.rm(journal, { force: true });
  } catch (error) {
    throw hot("its old bytes cannot be put back", error);
  } finally {
    await letGo(file);
  }
  await syncFolder(fs, pathCalls().dirname(real));
}

/** Close a handle. Errors are ignored: what had to reach the disk was synced. */
async function letGo(handle: DiskFile): Promise<void> {
  await handle.close().catch(() => {});
}

async function createJournal(fs: Fs, journal: string): Promise<DiskFile> {
  try {
    return await fs.promises.open(journal, "wx", 0o600);
  } catch (error) {
    if (systemCode(error) !== "EEXIST") throw error;
    throw conflict(journal);
  }
}

function conflict(journal: string): SaveError {
  return new SaveError("CONFLICT", `${JSON.stringify(journal)} exists: another process is changing the file`, {
    path: journal,
    committed: "no",
  });
}

/** Write and close a journal. */
async function writeJournal(kept: DiskFile, file: DiskFile, change: Change, signal?: AbortSignal): Promise<void> {
  const head = headOf(change);
  const hash = hashing();
  hash.update(head.subarray(0, FIELDS));
  try {
    // Without its hash it is incomplete, and only tells who is writing it.
    await writeFully(kept, head, 0);
    for await (const [piece, at] of piecesOf(file, change.offset, change.length)) {
      signal?.throwIfAborted();
      hash.update(piece);
      await writeFully(kept, piece, HEAD + at);
    }
    head.set(hash.digest().subarray(0, HEAD - FIELDS), FIELDS);
    await writeFully(kept, head, 0);
    await kept.sync();
  } finally {
    await kept.close();
  }
}

/** Whether another process is at work on a journal and its file `real`. */
async function isUnderWay(fs: Fs, real: string, kept: DiskFile): Promise<boolean> {
  const pid = await writerOf(kept), lives = pid === processId() ? false : processLives(pid);
  if (pid === 0 || lives === false) return false;
  const changed = Math.max((await kept.stat()).mtimeMs, (await fs.promises.stat(real)).mtimeMs);
  return Date.now() - changed < (lives ? ABANDONED : ABANDONED_UNSEEN);
}

/** The id of the process that wrote a journal, which may be incomplete; 0 if it does not say. */
async function writerOf(kept: DiskFile): Promise<number> {
  const head = new Uint8Array(NAMED);
  if ((await kept.read(head, 0, NAMED, 0)).bytesRead < NAMED || !hasMagic(head)) return 0;
  return Number(new DataView(head.buffer).getBigUint64(8, true));
}

function hasMagic(head: Uint8Array): boolean {
  return String.fromCharCode(...head.subarray(0, MAGIC.length)) === MAGIC;
}

/** The change that a journal describes; null if it is incomplete. */
async function readJournal(kept: DiskFile): Promise<Change | null> {
  const head = new Uint8Array(HEAD);
  const { size } = await kept.stat();
  if ((await kept.read(head, 0, HEAD, 0)).bytesRead < HEAD) return null;
  if (!hasMagic(head)) return null;
  const view = new DataView(head.buffer);
  const [pid, fileSize, offset, length] = [8, 24, 32, 40].map((at) => Number(view.getBigUint64(at, true)));
  if (!Number.isSafeInteger(length) || size !== HEAD + length || offset + length > fileSize) return null;
  const hash = hashing();
  hash.update(head.subarray(0, FIELDS));
  for await (const [piece] of piecesOf(kept, HEAD, length)) hash.update(piece);
  const digest = hash.digest();
  for (let i = FIELDS; i < HEAD; i++) if (digest[i - FIELDS] !== head[i]) return null;
  return { pid, ino: view.getBigUint64(16, true), size: fileSize, offset, length };
}

/** Whether the journal is for this file and not for one that replaced it. A file that was being changed as a whole may have any size. */
async function isFileOf(change: Change, file: DiskFile): Promise<boolean> {
  const { size, ino } = await file.stat({ bigint: true });
  if (change.ino !== 0n && !isSameInode(ino, change.ino)) return false;
  return isWhole(change) || Number(size) === change.size;
}

function isWhole({ offset, length, size }: Change): boolean {
  return offset === 0 && length === size;
}

async function restore(fs: Fs, journal: string, file: DiskFile, change: Change): Promise<void> {
  const kept = await fs.promises.open(journal, "r");
  try {
    for await (const [piece, at] of piecesOf(kept, HEAD, change.length)) {
      await writeFully(file, piece, change.offset + at);
    }
    if (isWhole(change)) await file.truncate(change.size);
    await file.sync();
  } finally {
    await letGo(kept);
  }
}

function headOf({ pid, ino, size, offset, length }: Change): Uint8Array {
  const head = new Uint8Array(HEAD), view = new DataView(head.buffer);
  for (let i = 0; i < MAGIC.length; i++) head[i] = MAGIC.charCodeAt(i);
  [pid, ino, size, offset, length].forEach((value, i) => view.setBigUint64(8 + 8 * i, BigInt(value), true));
  return head;
}

/** The bytes `[start, start + length)` in pieces, each with its offset from `start`. */
async function* piecesOf(handle: DiskFile, start: number, length: number): AsyncGenerator<[Uint8Array, number]> {
  const buffer = new Uint8Array(Math.min(PIECE, length));
  for (let at = 0; at < length;) {
    const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, length - at), start + at);
    if (bytesRead === 0) {
      throw new SourceError("SHORT_READ", `The file ends at byte ${start + at}`, { offset: start + at });
    }
    yield [buffer.subarray(0, bytesRead), at];
    at += bytesRead;
  }
}

function editError(path: string, what: string, cause: unknown): SaveError {
  return new SaveError(
    saveCodeOf(cause, "WRITE_FAILED"),
    `Cannot change ${JSON.stringify(path)} (${systemCode(cause) ?? "failed"}): ${what}`,
    { path, committed: "no", cause },
  );
}
