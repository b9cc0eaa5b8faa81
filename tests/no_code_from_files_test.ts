import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "@std/testing/bdd";
import { filesBelow } from "./helpers/files_below.ts";

/** A comment, a string, or a regular expression after something that cannot end a value. */
const TOKENS =
  /\/\*[^]*?\*\/|\/\/[^\n]*|"(?:[^"\\\n]|\\.)*"|(?<=[(=,:[!&|?{};>]\s*|return\s+)\/(?![*/])(?:[^\\/\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[dgimsuvy]*/g;

interface Source {
  file: string;
  /** The program without comments, strings and regular expressions. */
  code: string;
  expressions: string[];
}

const sources: Source[] = filesBelow("src").filter((file) => file.endsWith(".ts")).map((file) => {
  const expressions: string[] = [];
  const code = readFileSync(file, "utf8").replace(TOKENS, (token) => {
    if (token.startsWith('"')) return '""';
    if (!token.startsWith("//") && !token.startsWith("/*")) expressions.push(token);
    return " ";
  });
  return { file, code, expressions };
});

/** Strings that cause catastrophic backtracking in a careless expression: long runs, and an end that matches nothing. */
function worstTexts(source: string): string[] {
  return [...new Set([...source, ..."a0 "])].map((c) => c.repeat(2 ** 15) + "!");
}

/** What may be in the brackets of a write: numbers, and names that are used for numbers. */
const INDEX =
  /^(?:\d[\w.]*|[a-z]|at|axis|column|columns|depth|done|end|high|index|incoming|into|ip|iq|items\.length|left|low|next|open|packet|pairs|parts|position|right|row|rows|shape\.length|slot|start|tall|this\.#pos|this\.#top|use\.to|wide|field\.number)$/;
const OPERATORS = /\s*(?:[-+*/%&|^()<?:]|<<|>>>?)\s*/;
const KEYED_WRITE =
  /[\w)\]!]\[((?:[^[\]]|\[[^[\]]*\])+)\]!?\s*(?:(?:[-+*/%&|^]|<<|>>>?|\*\*|\?\?|\|\||&&)?=(?![=>])|\+\+|--)/g;

/** Writes to named properties: each name is in the program itself or, for the last two, was looked up in one of its tables. */
const NAMED_WRITES = [
  "src/amp/grad_scaler.ts: field",
  "src/cli/command.ts: name",
  "src/cli/commands/set.ts: key as number",
  "src/cli/reading.ts: name as keyof Limits",
  "src/codec/program/message.ts: field.key",
  "src/codec/program/message.ts: key",
  "src/codec/program/schema.ts: field.key",
  "src/limits.ts: name",
];

/** Leaves out src/cli/parse_value.ts: command line arguments come from the user, not from a file. */
describe("the content of a file", () => {
  it("never becomes code: the library uses nothing that compiles strings", () => {
    assert.ok(sources.length > 300, `${sources.length} files`);
    const made = [
      /(?<![.\w])eval\s*\(/,
      /\bFunction\s*\(/,
      // A type is erased.
      /(?<!typeof\s)\bimport\s*\((?!"")/,
      /\bset(Timeout|Interval)\s*\(\s*[`"]/,
      /\bRegExp\s*\(/,
      /\bdocument\.write\b/,
    ];
    const found = sources.flatMap(({ file, code }) =>
      made.filter((pattern) => pattern.test(code.replace(/^\s*eval\(\): this/gm, ""))).map((p) => `${file}: ${p}`)
    );
    assert.deepEqual(found, []);
  });

  it("never names a property that is written: writes go by index, into a Map or through one function", () => {
    const named = sources.flatMap(({ file, code }) =>
      [...code.matchAll(KEYED_WRITE)].map(([, key]) => key).filter((key) => {
        return key !== '""' && !key.split(OPERATORS).every((part) => part === "" || INDEX.test(part));
      }).map((key) => `${file}: ${key}`)
    );
    assert.deepEqual([...new Set(named)].sort(), NAMED_WRITES);
    const fields = [
      // The prototype is always Tuple's.
      "src/codec/pickle/containers.ts: /\\bsetPrototypeOf\\b/",
      // A scheduler sets the fields named by its class.
      "src/optimizer/lr/lr_scheduler.ts: /\\bReflect\\.set\\b/",
    ];
    const made = [/\bReflect\.set\b/, /\bObject\.assign\((?!new Error\b)/, /\.__proto__\b/, /\bsetPrototypeOf\b/];
    const found = sources.flatMap(({ file, code }) => made.filter((p) => p.test(code)).map((p) => `${file}: ${p}`));
    assert.deepEqual(found, fields);
  });

  it("meets no regular expression that takes more than linear time", () => {
    const ofFiles = sources.filter(({ file }) => file !== "src/cli/parse_value.ts");
    const all = [...new Set(ofFiles.flatMap(({ expressions }) => expressions))];
    assert.ok(all.length > 30, `${all.length} expressions`);
    const slow: string[] = [];
    for (const expression of all) {
      const end = expression.lastIndexOf("/");
      const [source, flags] = [expression.slice(1, end), expression.slice(end + 1)];
      const pattern = new RegExp(source, flags);
      for (const text of worstTexts(source)) {
        let least = Infinity;
        // The best of several runs: the machine may be busy.
        for (let tries = 0; tries < 5 && least > 200; tries++) {
          const begin = performance.now();
          text.replace(pattern, "");
          least = Math.min(least, performance.now() - begin);
        }
        if (least > 200) {
          slow.push(`${expression} on ${JSON.stringify(text.slice(0, 2))} repeated`);
          break;
        }
      }
    }
    assert.deepEqual(slow, []);
  });
});
