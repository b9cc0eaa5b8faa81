import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import {
  crypto,
  decode,
  encode,
  jit,
  load,
  MemoryFolder,
  NDArray,
  open,
  openArchive,
  type Program,
  save,
  static as paddleStatic,
  Tensor,
} from "../../mod.ts";
import { OpDesc } from "../../src/codec/program/op_desc.ts";
import { ProgramDesc } from "../../src/codec/program/program_desc.ts";
import { VarDesc } from "../../src/codec/program/var_desc.ts";
import * as npy from "../../src/npy.ts";
import * as safetensors from "../../src/safetensors.ts";

/** Number of parts that take longer than one turn, even in memory, where nothing is awaited. */
const MANY = 20_000;

const RECORD = encode(new Tensor("uint8", [1]), { useBinaryFormat: true });
const utf8 = new TextEncoder();

/** A tar archive with `MANY` records. */
function tar(): Uint8Array {
  const archive = new Uint8Array(1024 * (MANY + 1));
  for (let i = 0; i < MANY; i++) {
    const header = archive.subarray(1024 * i, 1024 * i + 512);
    header.set(utf8.encode(`m/w${i}`));
    header.set(utf8.encode(`${RECORD.length.toString(8).padStart(11, "0")}\0`), 124);
    header.set(utf8.encode("ustar\x0000"), 257);
    header[156] = 0x30;
    header.fill(0x20, 148, 156);
    const sum = header.reduce((a, b) => a + b, 0);
    header.set(utf8.encode(sum.toString(8).padStart(6, "0") + "\0 "), 148);
    archive.set(RECORD, 1024 * i + 512);
  }
  return archive;
}

const arrays = new Map(Array.from({ length: MANY }, (_, i) => [`w${i}`, new NDArray("uint8", [1])]));
const state = new Map(
  Array.from({ length: MANY }, (_, i) => [`w${i}`, new Tensor("uint8", [1], undefined, { name: "" })]),
);
const folder = new MemoryFolder([
  ["state.pdparams", encode(state)],
  ["state.safetensors", safetensors.encode(arrays)],
  [
    "model.safetensors.index.json",
    utf8.encode(
      JSON.stringify({ weight_map: Object.fromEntries([...arrays.keys()].map((name) => [name, "state.safetensors"])) }),
    ),
  ],
]);
await npy.saveNpz(arrays, "state.npz", { folder });
const records = new MemoryFolder(Array.from({ length: MANY }, (_, i) => [`m/w${i}`, RECORD] as const));
const archive = tar();
const opened = await open("state.pdparams", { folder });

/** A program with thousands of operators, each of which reads the result of the one before. */
const program = ProgramDesc.of(2_006_002), OPS = MANY / 4;
program.blocks[0].vars = Array.from({ length: OPS + 1 }, (_, i) => VarDesc.of(`x${i}`, { shape: [1] }));
program.blocks[0].ops = Array.from(
  { length: OPS },
  (_, i) => OpDesc.of("relu", { X: [`x${i}`] }, { Out: [`x${i + 1}`] }),
);
for (const op of program.ops()) op.setAttribute("op_callstack", ["a", "b", "c"], "STRINGS");

const relu = { "#": "1.relu", A: [], I: [], O: [], OA: [] };
const pir = paddleStatic.deserializeProgram(utf8.encode(JSON.stringify({
  base_code: { magic: "pir", trainable: true, version: 4 },
  program: { regions: [{ "#": "region_0", blocks: [{ "#": "block_0", args: [], ops: Array(OPS).fill(relu) }] }] },
})));

/** The program, after a change of every operator. */
function changed(given: Program): Program {
  for (const op of given.ops()) op.setAttribute("names", ["a", "b", "c"]);
  return given;
}

/** Calls that process thousands of parts, with nothing to wait for. */
const CALLS: Record<string, (signal: AbortSignal) => Promise<unknown>> = {
  "a save": (signal) => save(state, "out.pdparams", { folder: new MemoryFolder(), signal }),
  "a save at protocol 2": (signal) => save(state, "out", { folder: new MemoryFolder(), protocol: 2, signal }),
  "a save of an opened checkpoint": (signal) => save(opened, "out", { folder: new MemoryFolder(), signal }),
  "a save as safetensors": (signal) => safetensors.save(arrays, "out", { folder: new MemoryFolder(), signal }),
  "a save as .npz": (signal) => npy.saveNpz(arrays, "out.npz", { folder: new MemoryFolder(), signal }),
  "a save of a program": (signal) => save(changed(program), "out.pdmodel", { folder: new MemoryFolder(), signal }),
  "a save of a program in JSON": (signal) => save(changed(pir), "out.json", { folder: new MemoryFolder(), signal }),
  "a save of an inference model": (signal) =>
    paddleStatic.saveInferenceModel("out", "x0", `x${OPS}`, {
      program,
      parameters: new Map(),
      folder: new MemoryFolder(),
      signal,
    }),
  "jit.save": (signal) =>
    jit.save({ programs: { forward: program }, stateDict: new Map() }, "out", { folder: new MemoryFolder(), signal }),
  "a load": (signal) => load("state.pdparams", { folder, signal }),
  "a load of safetensors": (signal) => load("state.safetensors", { folder, signal }),
  "an open of safetensors": (signal) => safetensors.open("state.safetensors", { folder, signal }),
  "an open by an index": (signal) => open("model.safetensors.index.json", { folder, signal }),
  "a load of .npz": (signal) => npy.loadNpz("state.npz", { folder, signal }),
  "an open of .npz": (signal) => npy.openNpz("state.npz", { folder, signal }),
  "an open of a zip archive": (signal) => openArchive("state.npz", { folder, signal }),
  "an open of a tar archive": (signal) => openArchive(archive, { signal }),
  "a load of a folder of records": (signal) => load("m", { folder: records, signal }),
  "an open of a folder of records": (signal) => open("m", { folder: records, signal }),
};

const plain = new Uint8Array(2 ** 24), key = crypto.CipherUtils.genKey(128);
const large = new Map([["w", new NDArray("uint8", [2 ** 26])]]);
const largeNpz = await npy.encodeNpz(large);

/** Calls that process megabytes. */
const LONG_CALLS: typeof CALLS = {
  "an encryption that WebCrypto lacks": (signal) =>
    crypto.encrypt(plain, key, { cipherName: "AES_ECB_PKCSPadding" }, { signal }),
  "the checksum of an archive in memory": (signal) => npy.openNpz(largeNpz, { signal }),
  "the checksum of an archive that is made": (signal) => npy.encodeNpz(large, { signal }),
};

function stopsInTime(calls: typeof CALLS): void {
  for (const [what, call] of Object.entries(calls)) {
    it(`lets timers run, and stops when the signal is aborted: ${what}`, async () => {
      // A fast or busy machine may finish the call before the timer fires: then try again.
      for (let attempt = 0; attempt < 4; attempt++) {
        const stop = new AbortController(), reason = new Error("stopped by a timer");
        setTimeout(() => stop.abort(reason), 0);
        const begin = performance.now();
        const outcome = await call(stop.signal).then(() => performance.now() - begin, (error) => error);
        if (typeof outcome !== "number") return assert.equal(outcome, reason);
        if (outcome < 60) return;
      }
      assert.fail("it took its time without a turn");
    });
  }
}

describe("a call that processes megabytes in memory", () => stopsInTime(LONG_CALLS));

describe("a call with thousands of parts in memory", () => {
  stopsInTime(CALLS);

  it("completes without a signal", () => assert.equal((decode(encode(state)) as Map<string, unknown>).size, MANY));
});
