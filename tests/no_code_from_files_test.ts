import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, it } from "@std/testing/bdd";

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    return entry.isDirectory() ? filesBelow(path) : path.endsWith(".ts") ? [path] : [];
  });
}

/** A comment, a text, or a regular expression behind something that no value ends with. */
const TOKENS =
  /\/\*[^]*?\*\/|\/\/[^\n]*|"(?:[^"\\\n]|\\.)*"|(?<=[(=,:[!&|?{};>]\s*|return\s+)\/(?![*/])(?:[^\\/\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[dgimsuvy]*/g;

interface Source {
  file: string;
  /** The program without comments, texts and regular expressions. */
  code: string;
  expressions: string[];
}

const sources: Source[] = filesBelow("src").map((file) => {
  const expressions: string[] = [];
  const code = readFileSync(file, "utf8").replace(TOKENS, (token) => {
    if (token.startsWith('"')) return '""';
    if (!token.startsWith("//") && !token.startsWith("/*")) expressions.push(token);
    return " ";
  });
  return { file, code, expressions };
});

/** Texts that make a careless expression try every way there is: long runs, and an end that fits nothing. */
function worstTexts(source: string): string[] {
  return [...new Set([...source, ..."a0 "])].map((c) => c.repeat(2 ** 15) + "!");
}

/** What an argument of the command line says is nobody else's: src/cli/parse_value.ts is left out. */
describe("what is in a file", () => {
  it("never becomes code: nothing that makes code of text is in the library", () => {
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

  it("meets no regular expression that takes longer than it is long", () => {
    const ofFiles = sources.filter(({ file }) => file !== "src/cli/parse_value.ts");
    const all = [...new Set(ofFiles.flatMap(({ expressions }) => expressions))];
    assert.ok(all.length > 30, `${all.length} expressions`);
    const slow: string[] = [];
    for (const expression of all) {
      const end = expression.lastIndexOf("/");
      const [source, flags] = [expression.slice(1, end), expression.slice(end + 1)];
      const pattern = new RegExp(source, flags);
      for (const text of worstTexts(source)) {
        // The better of two: the machine may have other things to do.
        const [least] = [0, 1].map(() => {
          const begin = performance.now();
          text.replace(pattern, "");
          return performance.now() - begin;
        }).sort((a, b) => a - b);
        if (least > 200) {
          slow.push(`${expression} on ${JSON.stringify(text.slice(0, 2))} repeated`);
          break;
        }
      }
    }
    assert.deepEqual(slow, []);
  });
});
