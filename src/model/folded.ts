/**
 * What optimising a program for inference has made of its weights. Paddle's passes write their results over the old numbers or into variables
 * of their own, and leave marks: names of such variables, and results that are still called after a normalisation that is gone.
 *
 * @module
 */
import type { Operator, Program } from "../program.ts";

/** Why the numbers of a variable are not those of training, by its name. */
export interface Folded {
  changed: ReadonlyMap<string, string>;
  /** How many convolutions have a normalisation in them. */
  convolutions: number;
}

const CONVOLUTION = /^(fused_)?(depthwise_)?conv[23]d/;
/** `conv_bn_fuse/eltwise_y_in/0` until 1.8, `fuse_conv_bn/conv2d_eltwise_y_in/0` later: the bias that the fold needs. */
const MADE_BIAS = /^(conv_bn_fuse|fuse_conv_bn)\/\w*eltwise_y_in\/\d+$/;
/** What a layer of batch normalisation calls its results. */
const NORMALISED = /^((?:sync_)?batch_norm_\d+)\.tmp_\d+$/;
/** What a layer calls the result of an operator; a variable of this name that no operator writes is what one wrote once. */
const RESULT = /^\w+\.tmp_\d+$/;

const INTO_IT =
  "it has a batch normalisation folded into it: neither the numbers before nor the normalisation are in the file";
const MADE = "made by folding a batch normalisation into a convolution: no layer of the network has it";
const COMPUTED = "the result of an operator, computed ahead from parameters that are no longer there";

/** Look for the marks in a ProgramDesc. Optimised programs of PIR are written before anything is folded. */
export function foldedIn(program: Program): Folded {
  const changed = new Map<string, string>();
  const folded = new Set<Operator>();
  if (program.form === "json") return { changed, convolutions: 0 };
  const saved = new Set(program.parameters().map(({ name }) => name));
  const written = new Set(program.ops().flatMap((op) => [...namesOf(op.outputs)]));
  for (const name of saved) {
    if (MADE_BIAS.test(name)) changed.set(name, MADE);
    else if (RESULT.test(name) && !written.has(name)) changed.set(name, COMPUTED);
  }
  const layers = normalisationsOf(program);
  const writers = new Map<string, Operator>();
  for (const op of program.ops()) {
    const convolution = CONVOLUTION.test(op.type) ? op : addedTo(op, writers);
    if (convolution && (takesMadeBias(op) || standsFor(op, layers))) {
      folded.add(convolution);
      for (const name of [...namesOf(op.inputs), ...namesOf(convolution.inputs)]) {
        if (saved.has(name) && !changed.has(name)) changed.set(name, INTO_IT);
      }
    }
    for (const name of namesOf(op.outputs)) writers.set(name, op);
  }
  return { changed, convolutions: folded.size };
}

/** The convolution whose result `op` adds something to. */
function addedTo(op: Operator, writers: ReadonlyMap<string, Operator>): Operator | null {
  const writer = op.type === "elementwise_add" ? writers.get(op.inputs.get("X")?.[0] ?? "") : undefined;
  return writer && CONVOLUTION.test(writer.type) ? writer : null;
}

function takesMadeBias(op: Operator): boolean {
  return [...namesOf(op.inputs)].some((name) => MADE_BIAS.test(name));
}

/** It writes what is called after a normalisation that no operator of the program does. */
function standsFor(op: Operator, layers: ReadonlySet<string>): boolean {
  return [...namesOf(op.outputs)].some((name) => {
    const layer = NORMALISED.exec(name)?.[1];
    return layer !== undefined && !layers.has(layer);
  });
}

/** Layers of batch normalisation that are still there, by what their results are called after. */
function normalisationsOf(program: Program): Set<string> {
  const layers = new Set<string>();
  for (const op of program.ops()) {
    if (!op.type.includes("batch_norm")) continue;
    for (const name of namesOf(op.outputs)) {
      const layer = NORMALISED.exec(name)?.[1];
      if (layer !== undefined) layers.add(layer);
    }
  }
  return layers;
}

function* namesOf(slots: ReadonlyMap<string, readonly string[]>): Generator<string> {
  for (const names of slots.values()) yield* names;
}
