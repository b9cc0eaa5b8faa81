import assert from "node:assert/strict";
import { cpSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "@std/testing/bdd";
import * as paddle from "../../mod.ts";
import { COMMANDS } from "../../src/cli/commands.ts";
import { inTempFolder } from "../helpers/in_temp_folder.ts";
import { oarlock } from "./run_command.ts";

const REAL = "tests/fixtures/real";
const NET = `${REAL}/paddle-3.3.1/net/net.pdparams`;
const MODEL = `${REAL}/paddle-2.6.2/jit-save/m`;

async function printed(...args: string[]): Promise<string> {
  const { code, out, err } = await oarlock(args);
  assert.equal(code, 0, `oarlock ${args.join(" ")}: ${err}`);
  return out;
}

/** The error output of a command that fails, without "error: ". */
async function refused(...args: string[]): Promise<string> {
  const { code, out, err } = await oarlock(args);
  assert.deepEqual([code, out], [2, ""], `oarlock ${args.join(" ")}`);
  assert.ok(err.startsWith("error: "), err);
  return err.slice("error: ".length).trimEnd();
}

describe("a command line that is wrong", () => {
  it("is refused with what to do instead", async () => {
    const cases: [args: string[], message: string, hint?: string][] = [
      [["nope"], 'There is no command "nope": the nearest is ls', "oarlock help lists the commands"],
      [[""], 'There is no command "": the nearest is ls', "oarlock help lists the commands"],
      [["help", "nope"], 'There is no command "nope": the nearest is ls', "oarlock help lists the commands"],
      [["help", "ls", "x"], "help takes no more operands, but got x", "oarlock help lists the commands"],
      [
        ["--json", "ls", NET],
        "Expected a command before --json: options follow the command",
        "oarlock help lists the commands",
      ],
      [["ls", "-l", NET], "Unknown option -l of ls: the nearest is --long", "oarlock help ls lists its options"],
      [["ls", "-long"], "Unknown option -long of ls: the nearest is --long", "oarlock help ls lists its options"],
      [["ls", "--", "-l"], 'No such file, model or folder: "-l" (NOT_FOUND)'],
      [["ls", "-"], 'No such file, model or folder: "-" (NOT_FOUND)'],
      [
        ["set", NET],
        "set needs NAME: oarlock set FILE NAME",
        "oarlock help set lists its options",
      ],
      [
        ["ls", NET, "--limit", "maxDepth=3=4"],
        "A limit must be given as maxDepth=NUMBER",
        "oarlock help ls lists its options",
      ],
      [
        ["show", NET, "head.weight", "--slice", "x"],
        "--slice must be A:B, A:, :B or one row A: got x",
        "oarlock help show lists its options",
      ],
      [
        ["recover", "data:,x", "none.pdparams"],
        "A model has several files: it is given by its prefix or folder, as a path or an http: URL",
        "oarlock help recover lists its options",
      ],
    ];
    for (const [args, message, hint] of cases) {
      assert.equal(await refused(...args), message + (hint === undefined ? "" : `\nhint: ${hint}`), args.join(" "));
    }
  });

  it("is refused where an option would have no effect", async () => {
    await inTempFolder(async (folder) => {
      const path = join(folder, "a.pdopt"), to = (name: string) => join(folder, name);
      await paddle.save(
        new Map<string, unknown>([["lr", 0.5], ["w", paddle.zeros([2])], ["v", paddle.zeros([2])]]),
        path,
      );
      for (const option of [["--stats"], ["--full"], ["--slice", "0:1"]]) {
        for (const name of [["lr"], []]) {
          assert.match(await refused("show", path, ...name, ...option), /^--\w+ applies to one array: name one/);
        }
      }
      for (const command of [["convert", path], ["recover", MODEL]]) {
        assert.match(await refused(...command, to("a.npz"), "--protocol", "3"), /^--protocol applies to pickles only/);
        assert.match(await refused(...command, to("a.pdparams"), "--compress"), /^--compress applies to \.npz only/);
        assert.ok(!existsSync(to("a.npz")) && !existsSync(to("a.pdparams")));
      }
      assert.match(
        await refused("recover", MODEL, to("a.npy")),
        /^TO is a \.pdparams, .*: other formats hold one array/,
      );
      assert.match(
        await refused("set", path, "lr", "--value", "1", "--out", to("a.npy")),
        /a\.npy" holds one array, but there are 2/,
      );
    });
  });

  it("tells a variable's name from a structured one, and one element from several", async () => {
    await inTempFolder(async (folder) => {
      for (const end of [".pdmodel", ".pdiparams", ".pdiparams.info"]) cpSync(MODEL + end, join(folder, "m" + end));
      const prefix = join(folder, "m"), path = join(folder, "a.pdparams");
      const message = 'In a model the names are variable names: "head.weight" is that of "linear_1.w_0"';
      assert.match(await refused("rename", prefix, "head.weight", "x"), new RegExp(`^${message}\n`));
      assert.match(await refused("rename", prefix, "head.wait", "x"), /^There is no "head\.wait" in it/);
      assert.match(await refused("set", prefix, "head.bias", "--from", prefix, "--at", "0"), /--at takes one element/);
      await paddle.save(new Map([["w", paddle.zeros([1])]]), path);
      assert.equal(await printed("set", path, "w", "--value", "3"), `${path}: w: 1 element set\n`);
      assert.equal(await printed("set", path, "w", "--value", "[4]"), `${path}: w: 1 element set\n`);
    });
  });
});

describe("help", () => {
  it("lists help itself, with all summaries in one column", async () => {
    const all = await printed("help", "help");
    assert.equal(await printed("-h"), all);
    assert.equal(await printed("--help", "ls"), await printed("ls", "-h"));
    const column = all.split("\n").find((line) => line.startsWith("  ls FILE"))!.indexOf("list names");
    for (const [start, summary] of [["  help [COMMAND]", "show this"], ["  --version", "the version"]]) {
      assert.equal(all.split("\n").find((line) => line.startsWith(start))!.indexOf(summary), column);
    }
    assert.equal(all.match(/^ {2}\w+ /gm)!.length, COMMANDS.length + 1);
  });
});

describe("long answers", () => {
  it("are printed whole, however many lines they have", async () => {
    await inTempFolder(async (folder) => {
      const path = join(folder, "a.pdparams");
      await paddle.save(paddle.full([150_000, 1], 1.5), path);
      assert.equal((await printed("show", path, "--full")).match(/1\.5/g)!.length, 150_000);
      const list = Array.from({ length: 150_000 }, (_, i) => i);
      await paddle.save(
        new Map<string, unknown>([["w", paddle.zeros([1])], ["list", new Map(list.map((i) => [i, i]))]]),
        path,
      );
      assert.equal((await printed("ls", path, "--long")).split("\n").length, 150_000 + 4);
      assert.equal((await printed("show", path, "list")).split("\n").length, 150_000 + 1);
    });
  });
});

describe("program with both --ops and --vars", () => {
  it("lists the operators, then the variables", async () => {
    const [ops, vars] = [await printed("program", MODEL, "--ops"), await printed("program", MODEL, "--vars")];
    assert.match(ops, /= matmul_v2\(/);
    assert.match(vars, /^ *linear_1\.w_0 /m);
    assert.equal(await printed("program", MODEL, "--vars", "--ops"), ops + vars);
  });
});

describe("show --stats with --slice", () => {
  it("gives the shape of the rows that were counted, as show --slice does in JSON", async () => {
    const { shape, stats } = JSON.parse(await printed("show", NET, "scale", "--slice", "1:", "--stats", "--json"));
    assert.deepEqual([shape, stats], [[1], { min: 6.5625, max: 6.5625, mean: 6.5625, nan: 0, inf: 0 }]);
    assert.match(
      await printed("show", NET, "scale", "--slice", "1:", "--stats"),
      /^scale {2}float32 {2}\[1\] {2}4 B\n/,
    );
  });
});

describe("a connection that fails", () => {
  it("is reported with what the runtime says about it", async () => {
    assert.match(await refused("ls", "http://127.0.0.1:1/m.pdparams"), /^Cannot fetch http:\S+: .+ \(HTTP_NETWORK\)$/);
  });
});

describe("recover with --names", () => {
  it("notes the names of variables that the model does not have", async () => {
    await inTempFolder(async (folder) => {
      const names = join(folder, "names.json"), to = join(folder, "a.pdparams");
      writeFileSync(names, JSON.stringify({ "linear_0.w_0": "x.weight", "linear_9.w_0": "y.weight" }));
      const out = await printed("recover", MODEL, to, "--names", names);
      assert.match(out, /^note: Names were given for variables that the model does not have: "linear_9\.w_0"\.$/m);
      assert.ok((await paddle.load(to) as paddle.StateDict).has("x.weight"));
      writeFileSync(names, JSON.stringify({ "linear_0.w_0": "x.weight" }));
      assert.doesNotMatch(await printed("recover", MODEL, to, "--names", names, "--force"), /does not have/);
    });
  });
});
