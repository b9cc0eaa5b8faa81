/**
 * `program`: what a model does, in the same view for `.pdmodel` and PIR's `.json`.
 *
 * @module
 */
import { quote, UnsupportedError } from "../../errors.ts";
import { load } from "../../load.ts";
import { type Operator, type Port, Program, type ProgramVariable } from "../../program.ts";
import { type Call, command, type Given, UsageError } from "../command.ts";
import { DONE } from "../failure.ts";
import { modelOf } from "../model_of.ts";
import { FROM_MODEL, type Reading, reading } from "../reading.ts";
import type { Session } from "../session.ts";
import { countText, table } from "../text.ts";
import { isPlainObject } from "../../words/plain_object.ts";
import { checkDepth } from "../json_text.ts";
import { valueJson } from "../value_text.ts";

const OPTIONS = {
  ...FROM_MODEL,
  ops: { help: "list every operator with its inputs and outputs; with --json also its attributes" },
  vars: { help: "every variable" },
  method: { value: "NAME", help: "for a Layer exported with several methods: which method" },
} as const;

/** The command. */
export const program = command({
  name: "program",
  summary: "show inputs, outputs, operators and variables of a program (.pdmodel, __model__, PIR .json)",
  operands: ["FILE"],
  options: OPTIONS,
  notes: ["FILE is a program, or the prefix or folder of a model. Dimensions known only at run time are -1."],
  json: "{ file, form, version, inputs, outputs: [{ name, dtype, shape }], ops: { type: count }, parameters } " +
    "(--ops: operators: [{ type, inputs, outputs, attributes }]; --vars: variables: [{ name, id?, kind, dtype, shape, " +
    "persistable }])",
  async run({ operands: [from], options, session }) {
    const program = await reading(options, session, (where) => programOf(from, options, session, where));
    await (session.json ? printJson : print)(from, program, options, session);
    return DONE;
  },
});

async function programOf(
  from: string,
  options: Given<typeof OPTIONS>,
  session: Session,
  where: Reading,
): Promise<Program> {
  const { onWarning, onProgress } = session;
  const hooks = { ...where, onWarning, onProgress };
  const model = await modelOf(from, options, where);
  const isFile = /\.(pdmodel|json)$/.test(from) && options.method === undefined;
  if (!model || isFile) {
    if (options.method !== undefined) throw new UsageError("--method needs a model given by its prefix");
    const value = await load(from, hooks);
    if (value instanceof Program) return value;
    throw new UnsupportedError("UNSUPPORTED_FEATURE", `There is no program in ${quote(from)}`, { path: from });
  }
  const { methods, folder } = model.files;
  const wanted = options.method ?? "forward";
  const method = methods.find((method) => method.method === wanted);
  if (!method) {
    throw new UsageError(`There is no method ${wanted}: it has ${methods.map(({ method }) => method).join(", ")}`);
  }
  if (methods.length > 1 && options.method === undefined) {
    await session.note(`methods: ${methods.map(({ method }) => method).join(", ")} (--method chooses)`);
  }
  return await load({ folder, name: method.programs[0] }, hooks) as Program;
}

type Shown = Call<Given<typeof OPTIONS>>["options"];

async function print(_from: string, program: Program, options: Shown, session: Session): Promise<void> {
  if (options.ops) {
    const names = namesOf(program);
    await session.printAll(program.ops().map((op) => operatorLine(op, names)));
  }
  if (options.vars) {
    await session.printAll(
      table(program.vars().map((v) => [v.id ?? "", v.name, v.kind, dtypeText(v), v.persistable ? "persistable" : ""])),
    );
  }
  if (options.ops || options.vars) return;
  const counts = countsOf(program);
  const ports = (what: string, list: readonly Port[]) =>
    list.map((port, i) => [i === 0 ? what : "", port.name, dtypeText(port)]);
  const blocks = countText(program.blocks.length, "block");
  await session.printAll(
    table([
      ["form", program.form === "json" ? "PIR (.json)" : "ProgramDesc (.pdmodel)", versionText(program)],
      ...ports("inputs", program.feeds()),
      ...ports("outputs", program.fetches()),
      ["parameters", String(program.parameters().length), ""],
      ["operators", String(program.ops().length), `in ${blocks}`],
      ...[...counts].map(([type, count]) => ["", type, String(count)]),
    ]),
  );
}

async function printJson(from: string, program: Program, options: Shown, session: Session): Promise<void> {
  const port = ({ name, dtype, shape }: Port) => ({ name, dtype, shape });
  const names = namesOf(program);
  await session.printJson({
    file: from,
    form: program.form,
    version: program.version,
    inputs: program.feeds().map(port),
    outputs: program.fetches().map(port),
    ops: countsOf(program),
    parameters: program.parameters().length,
    operators: options.ops && program.ops().map((op) => operatorJson(op, names)),
    variables: options.vars && program.vars().map(({ id, name, kind, dtype, shape, persistable }) => {
      return { name, id, kind, dtype, shape, persistable };
    }),
  });
}

/** Operator counts by type, most frequent first. */
function countsOf(program: Program): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { type } of program.ops()) counts.set(type, (counts.get(type) ?? 0) + 1);
  return new Map([...counts].sort(([, a], [, b]) => b - a));
}

/** Names of variables by the ids by which PIR's operators refer to them. */
function namesOf(program: Program): Map<string, string> {
  return new Map(program.vars().flatMap(({ id, name }) => id === undefined ? [] : [[id, name]]));
}

function operatorLine({ type, inputs, outputs }: Operator, names: ReadonlyMap<string, string>): string {
  const ports = (slots: Operator["inputs"]) => [...slots.values()].flat().map((id) => names.get(id) ?? id).join(", ");
  return `${ports(outputs)} = ${type}(${ports(inputs)})`;
}

function operatorJson({ type, inputs, outputs, attributes }: Operator, names: ReadonlyMap<string, string>): object {
  const named = (slots: Operator["inputs"]) =>
    new Map([...slots].map(([slot, ids]) => [slot, ids.map((id) => names.get(id) ?? id)]));
  return {
    type,
    inputs: named(inputs),
    outputs: named(outputs),
    attributes: new Map([...attributes].map(([name, value]) => [name, attribute(value)])),
  };
}

function attribute(value: unknown, depth = 0): unknown {
  checkDepth(depth);
  if (value instanceof Uint8Array) return new TextDecoder().decode(value);
  if (Array.isArray(value)) return value.map((item) => attribute(item, depth + 1));
  return isPlainObject(value)
    ? new Map(Object.entries(value as object).map(([key, item]) => [key, attribute(item, depth + 1)]))
    : valueJson(value);
}

function dtypeText({ dtype, shape }: Pick<ProgramVariable, "dtype" | "shape">): string {
  return `${dtype ?? ""} ${shape ? `[${shape.join(", ")}]` : ""}`.trim();
}

function versionText({ form, version }: Program): string {
  if (version === null) return "";
  if (form === "json") return `version ${version}`;
  const parts = [Math.floor(version / 1e6), Math.floor(version / 1000) % 1000, version % 1000];
  return version === 0 ? "of a development build" : `Paddle ${parts.join(".")}`;
}
