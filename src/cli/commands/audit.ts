/**
 * `audit`: what a file refers to, without executing anything, even for a file that is refused.
 *
 * @module
 */
import { audit as auditFile, type AuditReport } from "../../audit.ts";
import { command } from "../command.ts";
import { FROM_FILE, reading } from "../reading.ts";
import { countText, sizeText, table } from "../text.ts";

const VERDICTS = [
  "clean: data only",
  "refused: it refers to more than data",
  "could not be parsed",
  "not a file of a supported kind",
];

/** The command. */
export const audit = command({
  name: "audit",
  summary: "every symbol that a file names, and whether it holds data only",
  operands: ["FILE"],
  options: FROM_FILE,
  notes: [
    "Exit codes: 0: clean, 1: refused content, 2: could not be parsed or read, 3: not a file of a supported kind.",
  ],
  json:
    "{ file, ok, exitCode, kind, symbols: [{ symbol, opcode, offset, at, verdict, file? }], error?: { name, code, message, " +
    "offset, ... }, warnings: [{ code, message }], opcodes?, size? }",
  async run({ operands: [from], options, session }) {
    return await reading(options, session, async ({ folder, limits, signal }) => {
      const report = await auditFile(from, { folder, limits, signal });
      if (session.json) await session.printJson({ file: from, ...report });
      else await session.printAll(lines(from, report));
      return report.exitCode;
    });
  },
});

function lines(from: string, { exitCode, kind, symbols, error, warnings, size }: AuditReport): string[] {
  const refused = symbols.filter(({ verdict }) => verdict === "refused");
  const more = size === undefined ? "" : `, ${sizeText(size)}`;
  return [
    `${from}: ${error?.code === "UNSUPPORTED_DTYPE" ? "refused: it holds what no Tensor can" : VERDICTS[exitCode]}`,
    `kind: ${kind}${more}, ${countText(symbols.length, "symbol")}, ${refused.length} refused`,
    ...table(
      symbols.map((
        { symbol, opcode, offset, at, verdict, file },
      ) => [`  ${verdict}`, symbol || opcode, `byte ${offset}`, file ? `${file} ${at}` : at]),
    ),
    ...(error ? [`load says: ${error.message} (${error.code})`] : []),
    ...warnings.map(({ code, message }) => `warning: ${message} (${code})`),
  ];
}
