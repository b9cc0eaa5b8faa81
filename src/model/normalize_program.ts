/**
 * Prepares a ProgramDesc for inference: pruned, in test mode, with feed and fetch operators (FORMATS.md 9.1 and 9.2).
 *
 * @module
 */
import { OpDesc } from "../codec/program/op_desc.ts";
import type { ProgramDesc } from "../codec/program/program_desc.ts";
import { VarDesc } from "../codec/program/var_desc.ts";
import { quote, quoteSome, SourceError, ValueError } from "../errors.ts";
import { StepPace } from "../words/steps.ts";
import { dropBackward, OP_WEIGHT, pruneProgramInSteps } from "./prune_program.ts";

/** Options of normalisation. */
export interface NormalizeOptions {
  /** Keep operators and variables that no output depends on. @default {false} */
  skipPruneProgram?: boolean;
}

/** A new program with the inputs `feeds` and the outputs `fetches`, by name and in that order, made in steps between which other work may run. */
export function* normalizeDescInSteps(
  program: ProgramDesc,
  feeds: readonly string[],
  fetches: readonly string[],
  { skipPruneProgram = false }: NormalizeOptions,
): Generator<void, ProgramDesc> {
  const made = program.clone();
  const [main] = made.blocks;
  const pace = new StepPace(), names = new Set<string>();
  for (const variable of main.vars) {
    if (pace.isDue(OP_WEIGHT)) yield;
    names.add(variable.name);
  }
  for (const name of [...feeds, ...fetches]) {
    if (!names.has(name)) {
      throw new SourceError("NOT_FOUND", `The program's block 0 has no variable ${quote(name)}`, { at: name });
    }
  }
  main.ops = main.ops.filter((op) => op.type !== "feed" && op.type !== "fetch");
  main.vars = main.vars.filter((variable) => variable.kind !== "feed_minibatch" && variable.kind !== "fetch_list");
  dropBackward(made);
  if (!skipPruneProgram) {
    const unused = yield* pruneProgramInSteps(made, feeds, fetches);
    if (unused.length > 0) {
      throw new ValueError("INVALID_VALUE", `No output needs the inputs ${quoteSome(unused)}`, {
        names: unused,
      });
    }
  }
  yield* forInference(made);
  addPorts(made, feeds, fetches);
  return made;
}

/** What `program.clone(for_test=True)` and `_inference_optimize` do; the devices that training chose for operators of block 0 are removed. */
function* forInference(program: ProgramDesc): Generator<void, void> {
  const pace = new StepPace();
  for (const block of program.blocks) block.ops = block.ops.filter((op) => op.type !== "read");
  for (const op of program.ops()) {
    if (pace.isDue(OP_WEIGHT)) yield;
    op.isTarget = false;
    const type = op.attributeType("is_test");
    if (type !== undefined && !op.attribute("is_test")) op.setAttribute("is_test", type === "INT" ? 1 : true);
    if (op.type === "batch_norm" && op.outputs.has("ReserveSpace")) op.deleteOutput("ReserveSpace");
  }
  const [main] = program.blocks;
  for (const op of main.ops) {
    if (pace.isDue(OP_WEIGHT)) yield;
    if (op.attribute("op_device")) op.setAttribute("op_device", "");
  }
  main.vars = main.vars.filter((variable) => variable.kind !== "reader");
}

/** Add `feed` and `fetch` variables and operators. Feed operators are prepended one by one, so the last input comes first. */
function addPorts(program: ProgramDesc, feeds: readonly string[], fetches: readonly string[]): void {
  const [main] = program.blocks;
  const hasQuantFlag = main.ops.some((op) => op.attributeType("with_quant_attr") !== undefined);
  const port = (op: OpDesc, column: number) => {
    op.setAttribute("col", column, "INT");
    op.setAttribute("op_device", "", "STRING");
    op.setAttribute("op_namescope", "/", "STRING");
    op.setAttribute("op_role", 0, "INT");
    op.setAttribute("op_role_var", [], "STRINGS");
    if (hasQuantFlag) op.setAttribute("with_quant_attr", false, "BOOLEAN");
    return op;
  };
  const feedOps = feeds.map((name, i) => port(OpDesc.of("feed", { X: ["feed"] }, { Out: [name] }), i));
  const fetchOps = fetches.map((name, i) => port(OpDesc.of("fetch", { X: [name] }, { Out: ["fetch"] }), i));
  main.ops = [...feedOps.reverse(), ...main.ops, ...fetchOps];
  main.vars = [
    ...main.vars,
    VarDesc.of("feed", { kind: "feed_minibatch", persistable: true }),
    VarDesc.of("fetch", { kind: "fetch_list", persistable: true }),
  ];
}
