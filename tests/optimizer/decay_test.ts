import assert from "node:assert/strict";
import { describe, it } from "@std/testing/bdd";
import { fromArray, nn, optimizer, regularizer } from "../../mod.ts";

const { L1Decay, L2Decay } = regularizer;

/** A parameter [2, -4] after one step of rate 0.5 with the gradient [0.5, 0.5] and no initial velocity. */
function after(make: (p: nn.Parameter) => optimizer.Optimizer, own: regularizer.Regularizer | null = null): number[] {
  const p = nn.Parameter.from(fromArray([2, -4], "float32"), { name: "p", regularizer: own });
  const made = make(p);
  p.grad = fromArray([0.5, 0.5], "float32");
  made.step();
  return [...p.toFloat32Array()];
}

/** The expected result, with these values added to the gradient. */
const stepped = (a: number, b: number) => [2 - 0.5 * (0.5 + a), -4 - 0.5 * (0.5 + b)];

describe("the weight decay of a parameter group", () => {
  it("falls back to the optimizer's when it is null", () => {
    for (const weightDecay of [0.25, new L2Decay(0.25)]) {
      const sgd = (p: nn.Parameter) =>
        new optimizer.SGD({ learningRate: 0.5, parameters: [{ params: [p], weightDecay: null }], weightDecay });
      assert.deepEqual(after(sgd), stepped(0.5, -1));
    }
  });

  it("replaces the parameter's own", () => {
    const sgd = (p: nn.Parameter) =>
      new optimizer.SGD({ learningRate: 0.5, parameters: [{ params: p, weightDecay: 0.25 }], weightDecay: 8 });
    assert.deepEqual(after(sgd, new L1Decay(4)), stepped(0.5, -1));
  });
});

describe("the weight decay of Momentum, whose kernel includes L2", () => {
  const momentum = (group: object, weightDecay: number | regularizer.Regularizer | null, paddle?: "2.0.2") => {
    return (p: nn.Parameter) => {
      const parameters = paddle ? [p] : [{ params: [p], ...group }];
      return new optimizer.Momentum({ learningRate: 0.5, parameters, weightDecay, ...(paddle ? { paddle } : {}) });
    };
  };

  it("adds a group's L2 to the optimizer's L1", () => {
    for (const weightDecay of [0.25, new L2Decay(0.25)]) {
      assert.deepEqual(after(momentum({ weightDecay }, new L1Decay(0.125))), stepped(0.625, -1.125));
    }
  });

  it("uses a group's L1 alone", () => {
    assert.deepEqual(after(momentum({ weightDecay: new L1Decay(0.25) }, 8)), stepped(0.25, -0.25));
    assert.deepEqual(after(momentum({ weightDecay: new L1Decay(0.25) }, new L1Decay(8))), stepped(0.25, -0.25));
  });

  it("drops the optimizer's L2 for a group's null, but keeps its L1", () => {
    assert.deepEqual(after(momentum({ weightDecay: null }, 8)), stepped(0, 0));
    assert.deepEqual(after(momentum({ weightDecay: null }, new L1Decay(0.25))), stepped(0.25, -0.25));
  });

  it("in 2.0 adds the parameter's own to an optimizer's object, but only uses one of them with a number", () => {
    assert.deepEqual(after(momentum({}, new L2Decay(0.25), "2.0.2"), new L2Decay(0.125)), stepped(0.75, -1.5));
    assert.deepEqual(after(momentum({}, 0.25, "2.0.2"), new L2Decay(0.125)), stepped(0.25, -0.5));
  });
});

describe("a parameter's own decay, beside that of the optimizer", () => {
  /** The first moment is a tenth of the gradient, decayed as it was given to the class. */
  const moment = (made: optimizer.Optimizer) => [...(made.stateDict().values().next().value as nn.Parameter).data];

  it("is added by AdamW to the gradient from the value before AdamW's own decay", () => {
    for (const paddle of ["3.3", "2.6", "2.2", "2.0.2"] as const) {
      let made!: optimizer.Optimizer;
      after((p) => made = new optimizer.AdamW({ learningRate: 0.5, parameters: [p], paddle }), new L2Decay(0.25));
      // As real Paddle has it: 0.5 + 0.25 * 2 and 0.5 - 0.25 * 4.
      const c = Math.fround(1 - Math.fround(0.9));
      assert.deepEqual(moment(made), [c * 1, c * -0.5], paddle);
    }
  });

  it("is used by Lamb only without groups: a group's decay, or its absence, replaces it", () => {
    const lamb = (group: object) => (p: nn.Parameter) =>
      made = new optimizer.Lamb({ learningRate: 0.5, parameters: [{ params: [p], ...group }] });
    let made!: optimizer.Optimizer;
    const c = Math.fround(1 - Math.fround(0.9));
    after(lamb({ weightDecay: 0.25 }), new L1Decay(8));
    assert.deepEqual(moment(made), [c * 1, c * -0.5]);
    after(lamb({}), new L1Decay(8));
    assert.deepEqual(moment(made), [c * 0.5, c * 0.5]);
    after((p) => made = new optimizer.Lamb({ learningRate: 0.5, parameters: [p] }), new L2Decay(0.25));
    assert.deepEqual(moment(made), [c * 1, c * -0.5]);
  });
});
