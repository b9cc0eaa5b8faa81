/**
 * What an inference program still says about the network that was exported: which values are the network's own, and which were changed on
 * the way (FORMATS.md 9.2 and 10).
 *
 * @module
 */
import { isQuantised } from "../codec/record/stored_form.ts";
import type { DType } from "../dtype.ts";
import { quote } from "../errors.ts";
import type { Operator, Program, ProgramVariable } from "../program.ts";
import type { Folded } from "./folded.ts";
import type { ModelInfo } from "./model_info.ts";

/** Where the key of a recovered entry comes from. */
export type NameOrigin =
  /** `.pdiparams.info` has it: the key of the network's own state dict. */
  | "info"
  /** The caller's `names` or `like` has it, by the variable's name. */
  | "given"
  /** By kind of layer, number and shape, a variable of the caller's `like` with another name fits. */
  | "guess"
  /** Nobody knows the key: it is the variable's name, for `set_state_dict(..., use_structured_name=False)`. */
  | "variable";

/** What is known of one recovered value. */
export interface RecoveredEntry {
  /** Its key in the state dict. */
  key: string;
  /** The name of the variable. */
  variable: string;
  /** Where the key comes from. */
  name: NameOrigin;
  /** Whether the numbers are those of training; `changed` says what happened to them otherwise. */
  exact: boolean;
  /** Why the numbers may be others than those of training; empty where they are exact. */
  changed: string[];
}

/** What `recoverStateDict` found out. */
export interface RecoverReport {
  /** One for each entry of the state dict, in its order. */
  entries: RecoveredEntry[];
  /** Keys that the network had, by the info, and that no file holds: pruned, because no output needs them. */
  pruned: string[];
  /** Variables that were in no state dict: constants that tracing put into the program. They are not in the result. */
  constants: string[];
  /** What cannot be known from these files, in words. */
  notes: string[];
}

/** Operators that an exporter or optimizer puts in the place of several others, by what their names begin with. */
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
/** Operators of a quantised program. */
const QUANTISED = [
  "quantize",
  "dequantize",
  "fake_quantize",
  "fake_channel_wise",
  "weight_only_linear",
  "llm_int8_linear",
  "weight_quantize",
];
/** Which slot of a normalisation takes what training keeps. */
const STATISTICS = new Set(["Mean", "Variance"]);

/** What the programs of all methods show of one variable. */
export interface VariableUse {
  variable: ProgramVariable;
  /** Place of the first operator that reads it; Infinity where none does. */
  order: number;
  changed: string[];
  /** It is kept by a normalisation, and not trained. */
  isStatistic: boolean;
}

/** How each saved variable is used, in the order of first use; `folded` is what became of it before. */
export function usesOf(programs: readonly Program[], folded: readonly Folded[]): Map<string, VariableUse> {
  const uses = new Map<string, VariableUse>();
  for (const program of programs) {
    for (const variable of program.parameters()) {
      if (uses.has(variable.name)) continue;
      uses.set(variable.name, { variable, order: Infinity, changed: dtypeChange(variable.dtype), isStatistic: false });
    }
  }
  for (const { changed } of folded) for (const [name, change] of changed) uses.get(name)?.changed.push(change);
  let place = 0;
  for (const program of programs) {
    for (const { op, names, statistics } of readsOf(program)) {
      const changed = changeBy(op);
      for (const name of names) {
        const use = uses.get(name);
        if (!use) continue;
        use.order = Math.min(use.order, place++);
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

/** What each operator reads; values of PIR by the names of the parameters that make them. */
function* readsOf(program: Program): Generator<Read> {
  const names = new Map<string, string>();
  if (program.form === "json") {
    const saved = new Set(program.parameters().map(({ name }) => name));
    for (const { id, name } of program.vars()) if (id !== undefined && saved.has(name)) names.set(id, name);
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

const REDUCED: ReadonlySet<DType> = new Set<DType>(["float16", "bfloat16", "int8", "float8_e4m3fn", "float8_e5m2"]);

/** Training keeps float32 as a rule: a smaller dtype may be the network's own, or come from a conversion. */
function dtypeChange(dtype: DType | null): string[] {
  return dtype !== null && REDUCED.has(dtype)
    ? [`stored as ${dtype}: if the network was trained in float32, it was converted`]
    : [];
}

/** Paddle's quantisers put other numbers in the place of weights, and leave the program as it was. */
export function storedOtherwise({ dtype }: ProgramVariable, stored: DType): string[] {
  return dtype !== null && isQuantised(dtype, stored)
    ? [`stored as ${stored} where the program says ${dtype}: it was quantised`]
    : [];
}

/** What folding means for the whole network, in words; null where nothing was folded. */
export function foldingNote(folded: readonly Folded[]): string | null {
  const count = folded.reduce((sum, { convolutions }) => sum + convolutions, 0);
  if (count === 0) return null;
  const have = count === 1 ? "1 convolution has" : `${count} convolutions have`;
  return `${have} a batch normalisation folded into the weights: the network that was trained is not this one.`;
}

/** What Paddle calls a tensor that nobody named: by its number among all that it made. */
const NUMBERED = /^(eager_tmp|generated_tensor|generated_var)_\d+$/;
/** Names that a note tells. */
const TOLD = 5;

/** What it means that keys are such numbers, in words; null where none is. */
export function namelessNote(entries: readonly RecoveredEntry[]): string | null {
  const names = entries.filter(({ name, key }) => name === "variable" && NUMBERED.test(key)).map(({ key }) => key);
  if (names.length === 0) return null;
  const told = names.slice(0, TOLD).map(quote).join(", ") +
    (names.length > TOLD ? `, ${names.length - TOLD} more` : "");
  return `Values that no layer has named: ${told}. These are buffers, or weights that were computed from others before the export, as by ` +
    "weight_norm and spectral_norm. Another process numbers them otherwise, so that set_state_dict does not find them: give { names }.";
}

/** Keys of the network that have no value in the files. */
export function prunedKeys(info: ModelInfo | null, uses: ReadonlyMap<string, VariableUse>): string[] {
  const pruned: string[] = [];
  for (const [name, { structuredName }] of info ?? []) {
    if (structuredName !== undefined && !uses.has(name)) pruned.push(structuredName);
  }
  return pruned.sort();
}
