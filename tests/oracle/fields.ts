/** Fields of layers, Paddle 2.1 and later: what is a parameter, a buffer or a sublayer after assignments in random orders. */
import { nn, Tensor } from "../../mod.ts";
import type { Json, Paddle } from "./paddles.ts";
import type { Report } from "./report.ts";

export function fields(paddle: Paddle, report: Report, seed: number): Promise<string> {
  const said = paddle.ask("fields.py", paddle.makeFolder("fields"), "make", String(seed));
  if (said.rows === null) return Promise.resolve("this version has other rules");
  let steps = 0, refused = 0;
  for (const [i, row] of (said.rows as Json[]).entries()) {
    const root = new nn.Layer(), made = [root];
    for (const [t, step] of row.steps.entries()) {
      const [failed, wanted] = row.after[t];
      let error: unknown = null;
      try {
        act(root, made, step);
      } catch (thrown) {
        error = thrown;
      }
      steps++;
      if (failed) refused++;
      const name = `${paddle.name} layer ${i}, step ${t} of ${JSON.stringify(row.steps.slice(0, t + 1))}`;
      if ((error !== null) !== (failed !== false)) {
        report.differs(name, `${error ?? "no error"}; Paddle says ${failed || "nothing"}`);
        break;
      }
      const found = partsOf(root);
      if (JSON.stringify(found) !== JSON.stringify(wanted)) {
        report.differs(name, `has ${JSON.stringify(found)}\n   not ${JSON.stringify(wanted)}`);
        break;
      }
    }
  }
  return Promise.resolve(`${said.rows.length} layers, ${steps} steps, ${refused} of them refused by both`);
}

function act(root: nn.Layer, made: nn.Layer[], [what, name, flag, isNone, other]: Json): void {
  const layer = flag && made.length > 1 ? made[made.length - 1] : root;
  const own = layer as unknown as Record<string, unknown>;
  const parameter = () => new nn.Parameter("float32", [1]);
  const below = () => {
    made.push(new nn.Layer());
    return made[made.length - 1];
  };
  switch (what) {
    case "parameter":
      return void (own[name] = parameter());
    case "tensor":
      return void (own[name] = new Tensor("float32", [2]));
    case "layer":
      return void (own[name] = below());
    case "none":
      return void (own[name] = null);
    case "number":
      return void (own[name] = 3);
    case "delete":
      if (!(name in layer)) throw new Error("no such field");
      return void delete own[name];
    case "buffer":
      return layer.registerBuffer(name, isNone ? null : new Tensor("float32", [3]), { persistable: flag });
    case "add_parameter":
      return void layer.addParameter(name, isNone ? null : parameter());
    case "add_sublayer": {
      const added = below();
      return void layer.addSublayer(name, isNone ? null : added);
    }
    case "shared":
      if (!(name in layer)) throw new Error("no such field");
      return void ((root as unknown as Record<string, unknown>)[other] = own[name]);
    case "below":
      if (made.length > 2) made[made.length - 2].addSublayer(name, made[made.length - 1]);
  }
}

/** null if a layer is below itself. */
function partsOf(root: nn.Layer): Json {
  try {
    const keys = (named: [string, unknown][]) => named.map(([key]) => key);
    return [
      [...root.stateDict().keys()],
      [...root.toStaticStateDict().keys()],
      keys(root.namedParameters()),
      keys(root.namedBuffers()),
      keys(root.namedSublayers()),
      keys(root.namedChildren()),
    ];
  } catch {
    return null;
  }
}
