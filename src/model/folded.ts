/**
 * What optimising a program for inference did to its weights. Paddle's passes overwrite the old values or create new variables, and leave
 * traces: the names of such variables, and results still named after a normalisation that is gone.
 *
 * @module
 */
import type { Operator, Program } from "../program.ts";
import { StepPace } from "../words/steps.ts";
import { OP_WEIGHT } from "./prune_program.ts";

/** What was folded. */
export interface Folded {
  /** By variable name, the reason why its values are not those of training. */
  changed: ReadonlyMap<string, string>;
  /** Number of convolutions with a normalisation folded into them. */
  convolutions: number;
}

const CONVOLUTION = /^(fused_)?(depthwise_)?conv[23]d/;
/** The bias added by folding: `conv_bn_fuse/eltwise_y_in/0` until 1.8, `fuse_conv_bn/conv2d_eltwise_y_in/0` later. */
const MADE_BIAS = /^(conv_bn_fuse|fuse_conv_bn)\/\w*eltwise_y_in\/\d+$/;
/** Names of the results of a batch normalisation layer. */
const NORMALISED = /^((?:sync_)?batch_norm_\d+)\.tmp_\d+$/;
/** Names of operators' results; a variable with such a name that no operator writes was once the result of one. */
const RESULT = /\.tmp_\d+$/;

const INTO_IT =
  "it has a batch normalisation folded into it: the file has neither the original values nor the normalisation";
const MADE = "made by folding a batch normalisation into a convolution: no layer of the network has it";
const COMPUTED = "the result of an operator, computed ahead from parameters that are no longer there";

/** Look for the traces in a ProgramDesc, in steps between which other work may run. Optimised PIR programs are written before anything is folded. */
export function* foldedInSteps(program: Program): Generator<void, Folded> {
  const changed = new Map<string, string>();
  const folded = new Set<Operator>();
  if (program.form === "json") return { changed, convolutions: 0 };
  const pace = new StepPace(), written = new Set<string>();
  const saved = new Set(program.parameters().map(({ name }) => name));
  for (const op of program.ops()) {
    if (pace.isDue(OP_WEIGHT)) yield;
    for (const name of namesOf(op.outputs)) written.add(name);
  }
  for (const name of saved) {
    if (MADE_BIAS.test(name)) changed.set(name, MADE);
    else if (RESULT.test(name) && !written.has(name)) changed.set(name, COMPUTED);
  }
  const layers = normalisationsOf(program);
  const writers = new Map<string, Operator>();
  for (const op of program.ops()) {
    if (pace.isDue(OP_WEIGHT)) yield;
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

/** The convolution to whose result `op` adds something. */
function addedTo(op: Operator, writers: ReadonlyMap<string, Operator>): Operator | null {
  const writer = op.type === "elementwise_add" ? writers.get(op.inputs.get("X")?.[0] ?? "") : undefined;
  return writer && CONVOLUTION.test(writer.type) ? writer : null;
}

function takesMadeBias(op: Operator): boolean {
  return [...namesOf(op.inputs)].some((name) => MADE_BIAS.test(name));
}

/** Whether `op` writes a result named after a normalisation that the program no longer contains. */
function standsFor(op: Operator, layers: ReadonlySet<string>): boolean {
  return [...namesOf(op.outputs)].some((name) => {
    const layer = NORMALISED.exec(name)?.[1];
    return layer !== undefined && !layers.has(layer);
  });
}

/** Batch normalisation layers that are still there, by the layer name in their results. */
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
