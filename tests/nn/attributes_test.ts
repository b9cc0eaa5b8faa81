import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, it } from "@std/testing/bdd";
import { isPaddleError, type nn, utils } from "../../mod.ts";
import { makeLayer } from "./make_layer.ts";

const folder = "tests/fixtures/training";

for (const name of readdirSync(folder).sort()) {
  const path = `${folder}/${name}/attributes.json`;
  if (!existsSync(path)) continue;
  const version = name.slice("paddle-".length);
  describe(`layers with disabled and frozen parameters, as in Paddle ${version}`, () => {
    for (const c of JSON.parse(readFileSync(path, "utf8")).cases) {
      it(`${c.error ? "are refused" : "have the recorded state"}: ${c.class}(${c.args.join(", ")}) ${JSON.stringify(c.options)}`, () => {
        const make = () => utils.uniqueName.guard(() => makeLayer([c.class, c.args, c.options], version));
        if (c.error) {
          assert.throws(make, (error) => isPaddleError(error) && error.code === "INVALID_VALUE");
          return;
        }
        const state = [...make().stateDict()].map(([key, tensor]) => {
          const { name, shape, dtype, trainable } = tensor as nn.Parameter;
          const values = new Set(tensor.toFloat32Array());
          return [key, name, shape, dtype, trainable, values.size === 1 && tensor.size > 1 ? [...values][0] : null];
        });
        assert.deepEqual(state, c.state);
      });
    }
  });
}
