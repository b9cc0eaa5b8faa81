/**
 * What an inference program still reveals about the exported network: which values are the network's own, and which were changed on the way
 * (FORMATS.md 9.2 and 10).
 *
 * @module
 */
import type { PirOp } from "../codec/pir/pir_op.ts";
import { isConverted } from "../codec/record/stored_form.ts";
import { type DType, isNarrowFloat } from "../dtype.ts";
import { quoteSome } from "../errors.ts";
import { NDArray } from "../ndarray.ts";
import type { Operator, Program, ProgramVariable } from "../program.ts";
import type { Folded } from "./folded.ts";
import type { ModelInfo } from "./model_info.ts";
import { StepPace } from "../words/steps.ts";

/** Where the key of a recovered entry comes from. */
export type NameOrigin =
  /** From `.pdiparams.info`: the key in the network's own state dict. */
  | "info"
  /** From the caller's `names` or `like`, by the variable's name. */
  | "given"
  /** From an entry of the caller's `like` that has another name but fits by kind of layer, number and shape. */
  | "guess"
  /** Unknown: the key is the variable's name, for `set_state_dict(..., use_structured_name=False)`. */
  | "variable";

/** What is known about one recovered value. */
export interface RecoveredEntry {
  /** Its key in the state dict. */
  key: string;
  /** The name of the variable. */
  variable: string;
  /** Where the key comes from. */
  name: NameOrigin;
  /** Whether the values are those of training; if not, `changed` says what happened to them. */
  exact: boolean;
  /** Why the values may differ from those of training; empty if they are exact. */
  changed: string[];
}

/** What `recoverStateDict` found out. */
export interface RecoverReport {
  /** One for each entry of the state dict, in its order. */
  entries: RecoveredEntry[];
  /**
   * Keys of the network, according to the info or else to `like`, for which the files have nothing: they were pruned because no output
   * depends on them, or other values were computed from them.
   */
  pruned: string[];
  /** Variables that were in no state dict: constants that tracing put into the program. They are not in the result. */
  constants: string[];
  /** What these files cannot tell, in words. */
  notes: string[];
}

/** Prefixes of operators with which an exporter or optimizer replaces several others. */
const FUSED = [
  "fused_",
  "fusion_",
  "conv2d_fusion",
  "multihead_matmul",
  "skip_layernorm",
  "fc_",
  "squeeze_excitation",
  "self_dp_attention",
];
/** Prefixes of operators in a quantised program. */
const QUANTISED = [
  "quantize",
  "dequantize",
  "fake_quantize",
  "fake_channel_wise",
  "weight_only_linear",
  "llm_int8_linear",
  "weight_quantize",
];
/** Weight of one operator when pacing steps. */
const OP_WEIGHT = 16;

/** Slots of a normalisation that take running statistics. */
const STATISTICS = new Set(["Mean", "Variance"]);

/** What the programs of all methods reveal about one variable. */
export interface VariableUse {
  variable: ProgramVariable;
  /** Rank of its first use; Infinity if no operator reads it. */
  order: number;
  /** Why its values may differ from those of training. */
  changed: string[];
  /** Whether it is a running statistic of a normalisation, which is not trained. */
  isStatistic: boolean;
}

/** How each saved variable is used, in order of first use; `folded` has what folding did to the programs. */
export function* usesInSteps(
  programs: readonly Program[],
  folded: readonly Folded[],
): Generator<void, Map<string, VariableUse>> {
  const uses = new Map<string, VariableUse>();
  for (const program of programs) {
    for (const variable of program.parameters()) {
      if (uses.has(variable.name)) continue;
      uses.set(variable.name, { variable, order: Infinity, changed: dtypeChange(variable.dtype), isStatistic: false });
    }
  }
  for (const { changed } of folded) for (const [name, change] of changed) uses.get(name)?.changed.push(change);
  let rank = 0;
  const pace = new StepPace();
  for (const program of programs) {
    for (const { op, names, statistics } of readsOf(program)) {
      if (pace.isDue(OP_WEIGHT)) yield;
      const changed = changeBy(op);
      for (const name of names) {
        const use = uses.get(name);
        if (!use) continue;
        use.order = Math.min(use.order, rank++);
        if (changed && !use.changed.includes(changed)) use.changed.push(changed);
        if (statistics.has(name)) use.isStatistic = true;
      }
    }
  }
  return new Map([...uses].sort(([, a], [, b]) => a.order === b.order ? 0 : a.order < b.order ? -1 : 1));
}

interface Read {
  op: Operator;
  /** Saved variables that it reads. */
  names: string[];
  statistics: Set<string>;
}

/** What each operator reads; values of PIR are given by the name of their parameter. */
function* readsOf(program: Program): Generator<Read> {
  const names = new Map<string, string>();
  if (program.form === "json") {
    const saved = new Set(program.parameters().map(({ name }) => name));
    // Layers that share a parameter each have an operator for it.
    for (const { name, results: [value] } of program.ops() as PirOp[]) {
      if (value && name !== undefined && saved.has(name)) names.set(`%${value.id}`, name);
    }
  }
  for (const op of program.ops()) {
    const statistics = new Set<string>(), read: string[] = [];
    const isNorm = op.type.includes("batch_norm");
    for (const [slot, inputs] of op.inputs) {
      for (const input of inputs) {
        const name = names.get(input) ?? input;
        read.push(name);
        // pd_op.batch_norm takes x, mean, variance, scale, bias.
        if (isNorm && (STATISTICS.has(slot) || (program.form === "json" && (slot === "1" || slot === "2")))) {
          statistics.add(name);
        }
      }
    }
    yield { op, names: read, statistics };
  }
}

function changeBy({ type }: Operator): string | null {
  const name = type.slice(type.indexOf(".") + 1);
  if (FUSED.some((start) => name.startsWith(start)) || name === "fc") {
    return `read by ${name}, which stands for several layers: it may have been folded together with others`;
  }
  if (QUANTISED.some((start) => name.startsWith(start))) {
    return `read by ${name}: it was quantised, or belongs to quantisation`;
  }
  return null;
}

/** Training normally uses float32: a smaller dtype may be the network's own, or come from a conversion. */
function dtypeChange(dtype: DType | null): string[] {
  return dtype !== null && (dtype === "int8" || isNarrowFloat(dtype))
    ? [`stored as ${dtype}: if the network was trained in float32, it was converted`]
    : [];
}

/** Paddle's quantisers and converters replace the values of weights without updating the program. */
export function storedOtherwise({ dtype }: ProgramVariable, stored: DType): string[] {
  return dtype !== null && isConverted(dtype, stored)
    ? [`stored as ${stored} where the program says ${dtype}: it was converted`]
    : [];
}

/** A note on what folding means for the whole network; null if nothing was folded. */
export function foldingNote(folded: readonly Folded[]): string | null {
  const count = folded.reduce((sum, { convolutions }) => sum + convolutions, 0);
  if (count === 0) return null;
  const have = count === 1 ? "1 convolution has" : `${count} convolutions have`;
  return `${have} a batch normalisation folded into the weights: the network that was trained is not this one.`;
}

/** A note on keys that were given for variables that the model does not have; null if there are none. */
export function unusedNote(names: Iterable<string>, variables: { has(name: string): boolean }): string | null {
  const unused = [...names].filter((name) => !variables.has(name));
  return unused.length === 0
    ? null
    : `Names were given for variables that the model does not have: ${quoteSome(unused)}.`;
}

/** Paddle's names for unnamed tensors: a number in order of creation. */
const NUMBERED = /^(eager_tmp|generated_tensor|generated_var)_\d+$/;

/** A note on keys that are such numbered names; null if there are none. */
export function namelessNote(entries: readonly RecoveredEntry[]): string | null {
  const names = entries.filter(({ name, key }) => name === "variable" && NUMBERED.test(key)).map(({ key }) => key);
  if (names.length === 0) return null;
  return `Values that no layer has named: ${
    quoteSome(names)
  }. These are buffers, or weights that were computed from others before the export, as by ` +
    "weight_norm and spectral_norm. Another process numbers them differently, so set_state_dict will not find them: pass { names }.";
}

/** Keys of `like` that were not recovered, sorted: those of no variable, and those that may belong to a recovered one of their shape. */
export function keysLeft(
  like: ReadonlyMap<string, unknown>,
  stateDict: ReadonlyMap<string, unknown>,
  entries: readonly RecoveredEntry[],
): { pruned: string[]; unclear: string[] } {
  const shapeOf = (value: unknown) => value instanceof NDArray ? String(value.shape) : null;
  const nameless = entries.filter(({ name }) => name === "variable");
  const known = new Set(nameless.map(({ key }) => shapeOf(stateDict.get(key))));
  const left = [...like].filter(([key, value]) => !stateDict.has(key) && shapeOf(value) !== null);
  const keys = (isKnown: boolean) =>
    left.filter(([, value]) => known.has(shapeOf(value)) === isKnown).map(([key]) => key).sort();
  return { pruned: keys(false), unclear: keys(true) };
}

/** A note on keys of `like` that may be those of variables without a key; null if there are none. */
export function unclearNote(keys: readonly string[]): string | null {
  return keys.length === 0
    ? null
    : `Keys of like that were pruned, or belong to values of their shape whose names are unknown: ${quoteSome(keys)}.`;
}

/** Keys of the network that have no value in the files, sorted. */
export function prunedKeys(info: ModelInfo | null, uses: ReadonlyMap<string, VariableUse>): string[] {
  const pruned: string[] = [];
  for (const [name, { structuredName }] of info ?? []) {
    if (structuredName !== undefined && !uses.has(name)) pruned.push(structuredName);
  }
  return pruned.sort();
}
