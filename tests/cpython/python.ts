/** CPython as the reference for pickles. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { PYTHON } from "../helpers/python.ts";

// deno-lint-ignore no-explicit-any
type Json = any;

function run(args: string[], input?: Uint8Array): Buffer {
  const { stdout, stderr, status } = spawnSync(PYTHON, ["tests/cpython/judge.py", ...args], {
    input,
    maxBuffer: 2 ** 29,
  });
  assert.equal(status, 0, String(stderr));
  return stdout;
}

/** What CPython reads: `{ value }` for each pickle, in the form of expect.json, or null if it refuses. */
export function readByCPython(pickles: readonly Uint8Array[]): Json[] {
  const frames = pickles.flatMap((bytes) => {
    const length = new Uint8Array(8);
    new DataView(length.buffer).setBigUint64(0, BigInt(bytes.length), true);
    return [length, bytes];
  });
  const answers: Json[] = JSON.parse(String(run(["read"], Buffer.concat(frames))));
  assert.equal(answers.length, pickles.length, "answers of CPython");
  return answers;
}

/** Random values created by CPython, and the pickles of each with protocols 0 to 5. */
export function madeByCPython(seed: number, count: number): { value: Json; pickles: Uint8Array[] }[] {
  const answer = run(["make", String(seed), String(count)]);
  const end = answer.indexOf(10);
  const values: Json[] = JSON.parse(String(answer.subarray(0, end)));
  assert.equal(values.length, count, "values of CPython");
  let at = end + 1;
  const next = () => {
    const start = at + 8;
    at = start + Number(answer.readBigUInt64LE(at));
    return answer.subarray(start, at);
  };
  return values.map((value) => ({ value, pickles: [0, 1, 2, 3, 4, 5].map(next) }));
}
