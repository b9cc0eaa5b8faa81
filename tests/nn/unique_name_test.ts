import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import { isPaddleError, nn, utils } from "../../mod.ts";

const { generate, guard, NameScope, switch: switchScope } = utils.uniqueName;

describe("utils.uniqueName", () => {
  it("counts each key from 0", () => {
    guard(() => {
      assert.deepEqual([generate("fc"), generate("fc"), generate("conv")], ["fc_0", "fc_1", "conv_0"]);
    });
  });

  it("guards with new counters, and restores the old ones, even after an error", () => {
    guard(() => {
      generate("fc");
      guard("A_", () => {
        assert.equal(generate("fc"), "A_fc_0");
        guard(() => assert.equal(generate("fc"), "fc_0"));
        assert.equal(generate("fc"), "A_fc_1");
      });
      assert.throws(() =>
        guard(() => {
          throw new Error("mine");
        }), /mine/);
      assert.equal(generate("fc"), "fc_1");
    });
  });

  it("continues in a scope that was kept, whatever ran meanwhile", async () => {
    const run = async (): Promise<string[]> => {
      const scope = new NameScope();
      const names = [guard(scope, () => generate("fc"))];
      await Promise.resolve();
      return [...names, guard(scope, () => generate("fc"))];
    };
    assert.deepEqual(await Promise.all([run(), run()]), [["fc_0", "fc_1"], ["fc_0", "fc_1"]]);
  });

  it("is remembered by a layer, whose later parameters are counted in its own scope", () => {
    const layer = guard(() => new nn.Linear(1, 1));
    const other = guard(() => new nn.Linear(1, 1));
    assert.equal(layer.createParameter([1]).name, "linear_0.w_1");
    guard(() => assert.equal(other.createParameter([1]).name, "linear_0.w_1"));
    guard(() => assert.equal(layer.createParameter([1], { isBias: true }).name, "linear_0.b_1"));
  });

  it("refuses to guard an async function, whose later part would be counted elsewhere", () => {
    guard(() => {
      assert.throws(
        () => guard(async () => await Promise.reject(new Error("unseen"))),
        (error) => isPaddleError(error) && error.code === "INVALID_VALUE",
      );
      assert.equal(generate("fc"), "fc_0");
    });
  });

  it("switches to new counters and back", () => {
    guard(() => {
      generate("fc");
      const before = switchScope();
      assert.equal(generate("fc"), "fc_0");
      switchScope(before);
      assert.equal(generate("fc"), "fc_1");
    });
  });
});
