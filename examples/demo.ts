/**
 * Loads a checkpoint that real Paddle wrote, shows it, changes one variable, saves it and loads it again.
 *
 * Run: deno task demo [file.pdparams]
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as paddle from "../mod.ts";

const from = Deno.args[0] ?? "tests/fixtures/real/paddle-3.3.1/net/net.pdparams";
const state = await paddle.load<paddle.StateDict>(from);

console.log(`${from}: ${state.size} entries\n`);
for (const [key, value] of state) {
  if (!(value instanceof paddle.Tensor)) console.log(key.padEnd(24), value);
  else {
    const head = Array.from(value.reshape([-1]).slice(0, 3).toFloat32Array(), (x) => x.toPrecision(4)).join(", ");
    console.log(key.padEnd(24), value.dtype.padEnd(10), `[${value.shape}]`.padEnd(16), value.name.padEnd(24), head);
  }
}

const found = [...state].find(([, value]) =>
  value instanceof paddle.Tensor && value.dtype === "float32" && value.size > 0
);
if (!found) throw new Error("There is no float32 tensor to change in this file");
const [key, tensor] = found as [string, paddle.Tensor];
const zeros = tensor.shape.map(() => 0);
console.log(`\n${key}[${zeros}]: ${tensor.at(...zeros)} -> 42`);
tensor.set(42, ...zeros);

const folder = await mkdtemp(join(tmpdir(), "oarlock-demo-"));
try {
  const to = join(folder, "changed.pdparams");
  const report = await paddle.save(state, to);
  console.log(`saved ${report.bytes} bytes, durable: ${report.durable}`);
  const again = await paddle.load<paddle.StateDict>(to);
  for (const [name, value] of state) {
    const other = again.get(name);
    const isSame = value instanceof paddle.Tensor
      ? value.equals(other as paddle.Tensor)
      : JSON.stringify(value) === JSON.stringify(other);
    if (!isSame) throw new Error(`${name} came back different`);
  }
  console.log(`loaded again: ${again.size} entries, all equal`);
} finally {
  await rm(folder, { recursive: true });
}
