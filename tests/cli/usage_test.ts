import assert from "node:assert/strict";
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "@std/testing/bdd";
import * as paddle from "../../mod.ts";
import * as npy from "../../src/npy.ts";
import * as pickle from "../../src/pickle.ts";
import { COMMANDS } from "../../src/cli/commands.ts";
import type { ProgramDesc } from "../../src/codec/program/program_desc.ts";
import { inTempFolder } from "../helpers/in_temp_folder.ts";
import { npyHead } from "../../src/codec/npy/write_npy.ts";
import { main } from "../../src/cli/mod.ts";
import { Session } from "../../src/cli/session.ts";
import { OutputClosed } from "../../src/io/process_console.ts";
import { oarlock, printed } from "./run_command.ts";

const REAL = "tests/fixtures/real";
const NET = `${REAL}/paddle-3.3.1/net/net.pdparams`;
const MODEL = `${REAL}/paddle-2.6.2/jit-save/m`;
const METHODS = `${REAL}/paddle-2.4.2/jit-methods/m`;

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
      [["ls", ""], "FILE is empty: oarlock ls FILE", "oarlock help ls lists its options"],
      [
        ["set", "", "w", "--value", "1"],
        "FILE is empty: oarlock set FILE NAME",
        "oarlock help set lists its options",
      ],
      [["convert", NET, ""], "TO is empty: oarlock convert FROM TO", "oarlock help convert lists its options"],
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

describe("a console whose error output fails", () => {
  it("changes neither the answer nor the exit code, and nothing is left unhandled", async () => {
    const failing = [
      () => Promise.reject(new Error("it is closed")),
      () => {
        throw new Error("it is closed");
      },
    ];
    for (const error of failing) {
      let out = "";
      const write = (text: string) => Promise.resolve(void (out += text));
      const run = (...args: string[]) =>
        main({ args, write, error, isTerminal: true, signal: AbortSignal.timeout(9999) });
      assert.equal(await run("ls", "there-is-none"), 2);
      assert.equal(await run("program", METHODS), 0);
      assert.match(out, /^form /);
      const session = new Session({ args: [], write, error, isTerminal: true, signal: new AbortController().signal });
      session.onWarning({ code: "ODD", message: "a warning" });
      await session.note("a note");
    }
    // A rejection that nobody handles fails the test run.
    await new Promise((resolve) => setTimeout(resolve, 0));
  });
});

describe("a console whose output is closed by its reader", () => {
  it("gets no error message, and the exit code of the answer", async () => {
    const run = async (...args: string[]) => {
      let err = "";
      const code = await main({
        args,
        write: () => Promise.reject(new OutputClosed()),
        error: (text) => Promise.resolve(void (err += text)),
        isTerminal: false,
        signal: new AbortController().signal,
      });
      return [code, err];
    };
    assert.deepEqual(await run("ls", NET), [0, ""]);
    assert.deepEqual(await run("ls", NET, "--json"), [0, ""]);
    assert.deepEqual(await run("diff", NET, NET), [0, ""]);
    assert.deepEqual(await run("diff", NET, `${MODEL}.pdiparams`), [1, ""]);
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
    let text = "";
    const write = (more: string) => Promise.resolve(void (text += more));
    const signal = new AbortController().signal;
    await new Session({ args: [], write, error: write, isTerminal: false, signal }).printAll(Array(200_000).fill("a"));
    assert.equal(text, "a\n".repeat(200_000));
    await inTempFolder(async (folder) => {
      const path = join(folder, "a.pdparams");
      await paddle.save(paddle.full([150_000, 1], 1.5), path);
      assert.equal((await printed("show", path, "--full")).match(/1\.5/g)!.length, 150_000);
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

describe("what the answers say", () => {
  const values = new Map<string, unknown>([
    ["bytes", new Uint8Array(3)],
    ["set", new Set([1, 2])],
    ["z", new paddle.Complex(1, -2)],
    ["pairs", new Map([[1, "a"]])],
    ["scalar", new paddle.NumpyScalar("float32", 1.5)],
    ["a", new Map([["x", 1]])],
    ["ab", new Map([["c", 2]])],
    ["w", paddle.fromArray([1, 2, 3, 4], "float32")],
  ]);

  it("describes values of every kind, as text and as JSON", () =>
    inTempFolder(async (folder) => {
      const path = join(folder, "a.pkl");
      writeFileSync(path, pickle.encode(values as Map<string, paddle.Value>));
      const found = JSON.parse(await printed("ls", path, "--json"));
      assert.deepEqual(found.values.map(({ name, type, value }: Record<string, unknown>) => [name, type, value]), [
        ["bytes", "bytes", { bytes: 3 }],
        ["set", "set", [1, 2]],
        ["z", "complex", { re: 1, im: -2 }],
        ["pairs.1", "str", "a"],
        ["scalar", "numpy.float32", 1.5],
        ["a.x", "int", 1],
        ["ab.c", "int", 2],
      ]);
      const rows = (await printed("ls", path, "--long")).trimEnd().split("\n").map((line) => line.split(/ {2,}/));
      const { offset } = found.arrays[0];
      assert.deepEqual(rows.at(-2), ["w", "float32", "[4]", "16 B", String(offset)]);
      assert.deepEqual(rows[1], ["bytes", "bytes", "3 bytes"]);
      assert.deepEqual(JSON.parse(await printed("show", path, "pairs", "--json")).value, [[1, "a"]]);
      assert.equal(await printed("show", path, "ab.c"), "2\n");
      assert.match(await refused("show", path, "a.c"), /^There is no "a\.c"/);
    }));

  it("names parameters and offsets in the long list of real files", async () => {
    const [head, first] = (await printed("ls", NET, "--long")).split("\n").map((line) => line.split(/ {2,}/));
    assert.deepEqual(head, ["name", "type", "shape", "size", "offset", "parameter or value"]);
    assert.deepEqual(first, ["scale", "float32", "[2]", "8 B", "154", "net_0.w_0"]);
    assert.ok(!(await printed("ls", MODEL, "--long")).includes("-1"), "an offset that is not known is left empty");
  });

  it("shows rows by every form of --slice", () =>
    inTempFolder(async (folder) => {
      const path = join(folder, "a.pkl");
      writeFileSync(path, pickle.encode(values as Map<string, paddle.Value>));
      const slices: [slice: string, rows: number[]][] = [
        ["1", [2]],
        ["-1", [4]],
        ["-2", [3]],
        ["1:", [2, 3, 4]],
        [":-1", [1, 2, 3]],
        [":", [1, 2, 3, 4]],
        ["3:1", []],
      ];
      for (const [slice, rows] of slices) {
        assert.deepEqual(JSON.parse(await printed("show", path, "w", "--slice", slice, "--json")).data, rows, slice);
      }
    }));

  it("lists up to five values that are left out, and none for a pickle", () =>
    inTempFolder(async (folder) => {
      const path = join(folder, "a.pkl"), to = join(folder, "a.npz");
      for (const [count, told] of [[1, "n0"], [5, "n0, n1, n2, n3, n4"], [6, "n0, n1, n2, n3, n4, ..."]] as const) {
        const numbers = Array.from({ length: count }, (_, i) => [`n${i}`, i] as const);
        await paddle.save(new Map<string, unknown>([["w", paddle.zeros([2])], ...numbers]), path);
        const { err, out } = await oarlock(["convert", path, to, "--force"]);
        assert.equal(err, `warning: left out, as the file cannot hold them: ${told}\n`);
        assert.equal(out, `${to}: 1 array, 244 B\n`);
        assert.equal((await oarlock(["convert", path, to, "--force", "--quiet"])).err, "");
        const { leftOut } = JSON.parse(await printed("convert", path, join(folder, "b.pkl"), "--force", "--json"));
        assert.deepEqual(leftOut, []);
      }
    }));

  it("tells the form and version of a program, and its methods", async () => {
    const first = async (...args: string[]) => (await printed("program", ...args)).split("\n")[0];
    assert.match(await first(MODEL), /^form +ProgramDesc \(\.pdmodel\) +Paddle 2\.6\.2$/);
    assert.match(await first(`${REAL}/paddle-3.3.1/jit-save/m`), /^form +PIR \(\.json\) +version \d$/);
    assert.equal((await oarlock(["program", METHODS])).err, "methods: forward, other, second (--method chooses)\n");
    assert.equal((await oarlock(["program", METHODS, "--method", "other"])).err, "");
    assert.equal((await oarlock(["program", MODEL])).err, "");
  });

  it("refuses to change what methods of a model share, or a name that is taken", () =>
    inTempFolder(async (folder) => {
      cpSync(`${REAL}/paddle-2.4.2/jit-methods`, folder, { recursive: true });
      const prefix = join(folder, "m");
      const { err } = await oarlock(["rename", prefix, "linear_0.w_0", "new.w_0"]);
      assert.match(err, /^error: The methods of this model share parameters: .* Pass --out \(UNSUPPORTED_FEATURE\)$/m);
      for (const end of [".pdmodel", ".pdiparams", ".pdiparams.info"]) cpSync(MODEL + end, join(folder, "n" + end));
      assert.match(await refused("rename", join(folder, "n"), "linear_0.w_0", "linear_1.w_0"), /\(NAME_COLLISION\)$/);
    }));

  it("writes a layout of several files into an empty folder, and not into any other", () =>
    inTempFolder(async (folder) => {
      await printed("relayout", MODEL, folder, "--layout", "folder");
      assert.match(
        await refused("relayout", MODEL, folder, "--layout", "folder"),
        /already exists: --force .*CONFLICT/,
      );
    }));

  it("reads the model in a folder although macOS put a hidden file beside each of its files", () =>
    inTempFolder(async (folder) => {
      for (const ending of [".pdmodel", ".pdiparams"]) {
        cpSync(MODEL + ending, join(folder, "inference" + ending));
        writeFileSync(join(folder, "._inference" + ending), Uint8Array.of(0, 5, 22, 7, 0, 2, 0, 0));
      }
      writeFileSync(join(folder, ".DS_Store"), "");
      const named = (text: string) => text.replaceAll(folder, MODEL);
      assert.equal(named(await printed("ls", folder)), named(await printed("ls", join(folder, "inference"))));
    }));

  it("writes no files beside a folder that is named where a prefix is meant", () =>
    inTempFolder(async (folder) => {
      const old = join(folder, "old") + "/";
      assert.match(await refused("relayout", MODEL, old), /give a prefix in that folder, such as .*old\/model\n/);
      const rename = ["rename", MODEL, "linear_0.w_0", "new.w_0", "--out", old, "--force"];
      assert.match(await refused(...rename), /give a prefix in that folder/);
      assert.deepEqual(readdirSync(folder), []);
    }));

  it("takes uint16 for the bits of bfloat16, and for nothing else", () =>
    inTempFolder(async (folder) => {
      const path = join(folder, "a.pdparams"), bits = join(folder, "bits.npy");
      const one = paddle.fromArray([1, 2], "float32").astype("bfloat16");
      await paddle.save(new Map([["b", paddle.Tensor.from(one)], ["f", paddle.Tensor.fromArray([0, 0])]]), path);
      writeFileSync(bits, npy.encode(new paddle.NDArray("uint16", [2], Uint16Array.of(0x4040, 0x4080))));
      await printed("set", path, "b", "--from", bits);
      assert.match(await printed("show", path, "b"), /bfloat16 {2}\[2\]\n\[3\. 4\.\]/);
      assert.match(await refused("set", path, "f", "--from", bits), /float32 \[2\], the new array uint16 \[2\]/);
      await printed("set", path, "f", "--from", bits, "--cast");
      assert.match(await printed("show", path, "f"), /\[16448\. 16512\.\]/);
    }));

  it("refuses a tolerance that is not a number", async () => {
    for (const text of ["x", "", " ", "NaN", "-1"]) {
      assert.match(await refused("diff", NET, NET, "--tolerance", text), /^--tolerance must be a number not below 0/);
    }
    assert.match(await printed("diff", NET, NET, "--tolerance", "0"), /^38 entries the same/);
  });
});

describe("verify and decrypt", () => {
  it("find a changed element of an .npz by its checksum alone, and infinite elements", () =>
    inTempFolder(async (folder) => {
      const path = join(folder, "a.npz"), infinite = Uint8Array.of(0, 0, 0x80, 0x7f);
      for (const [size, text] of [[2, "8 B"], [2 ** 20, "4.0 MiB"]] as const) {
        writeFileSync(path, await npy.encodeNpz(new Map([["w", paddle.full([size], Infinity)]])));
        const { inf, nan } = JSON.parse(await printed("verify", path, "--json"));
        assert.deepEqual([inf, nan], [[{ name: "w", count: size }], []]);
        assert.ok((await printed("verify", path)).endsWith(`: intact (npz), 1 array, ${text}\nw: ${size} infinite\n`));
        const bytes = readFileSync(path);
        bytes[bytes.lastIndexOf(infinite)] ^= 1;
        writeFileSync(path, bytes);
        const { code, out } = await oarlock(["verify", path]);
        assert.equal(code, 1);
        assert.match(out, /: not intact\n.*\(HASH_MISMATCH\)\n$/);
      }
    }));

  it("name a program without a version field: one that was cut between two of its parts reads well", () =>
    inTempFolder(async (folder) => {
      const whole = readFileSync(`${MODEL}.pdmodel`);
      const program = await paddle.load(`${MODEL}.pdmodel`) as ProgramDesc;
      program.version = null;
      const without = program.serialize();
      let end = 0;
      while (without[end] === whole[end]) end++;
      const cut = whole.subarray(0, end);
      cpSync(`${MODEL}.pdiparams`, join(folder, "m.pdiparams"));
      writeFileSync(join(folder, "m.pdmodel"), cut);
      for (const path of [join(folder, "m"), join(folder, "m.pdmodel")]) {
        assert.match(await printed("verify", path), /^m\.pdmodel: no version field, which every Paddle writes/m);
        assert.deepEqual(JSON.parse(await printed("verify", path, "--json")).unversioned, ["m.pdmodel"]);
      }
      rmSync(join(folder, "m.pdiparams"));
      const alone = join(folder, "m.pdmodel");
      assert.deepEqual(JSON.parse(await printed("verify", alone, "--json")).unversioned, [alone]);
      assert.deepEqual(JSON.parse(await printed("verify", MODEL, "--json")).unversioned, []);
    }));

  it("take a cipher or a configuration, not both, and count bytes in units of 1024", () =>
    inTempFolder(async (folder) => {
      const [from, key, to] = ["a.enc", "key", "a"].map((name) => join(folder, name));
      const secret = new TextEncoder().encode("0123456789abcdef");
      writeFileSync(key, secret);
      const both = ["decrypt", from, to, "--key", key, "--config", key, "--cipher", "AES_CTR_NoPadding"];
      assert.match(await refused(...both), /^--config already names the cipher: leave --cipher out\n/);
      const cipher = new paddle.crypto.Cipher({ cipherName: "AES_CTR_NoPadding" });
      for (const [size, text] of [[1023, "1023 B"], [1024, "1.0 KiB"], [1536, "1.5 KiB"]] as const) {
        writeFileSync(from, await cipher.encrypt(new Uint8Array(size).fill(7), secret));
        assert.equal(await printed("decrypt", from, to, "--key", key, "--force"), `${to}: ${text}\n`);
        assert.equal(readFileSync(to).length, size);
      }
    }));
});

describe("rename in a folder with a file per parameter", () => {
  it("keeps the old file where the result goes elsewhere, and removes it where it is changed", () =>
    inTempFolder(async (folder) => {
      const from = join(folder, "from"), to = join(folder, "to");
      cpSync(`${REAL}/paddle-1.8.5/fluid-infer-separate/d`, from, { recursive: true });
      await printed("rename", from, "fc_0.w_0", "x.w_0", "--out", to);
      assert.ok(existsSync(join(from, "fc_0.w_0")));
      await printed("rename", from, "fc_0.w_0", "x.w_0");
      assert.deepEqual([existsSync(join(from, "fc_0.w_0")), existsSync(join(from, "x.w_0"))], [false, true]);
    }));
});

describe("an array of more elements than can be printed", () => {
  it("is refused before it is read, and a slice of it is not", async () => {
    await inTempFolder(async (folder) => {
      const path = join(folder, "huge.npy");
      const unread = { read: () => Promise.reject(new Error("it is not read")) };
      writeFileSync(path, npyHead(new paddle.NDArray("uint8", [2 ** 20, 2 ** 13], unread)));
      truncateSync(path, 128 + 2 ** 33);
      for (const option of ["--json", "--full"]) {
        const message = /^The answer has more than 16777216 values: ask for a part of it \(LIMIT\)/;
        assert.match(await refused("show", path, option), message);
        assert.match(await refused("show", path, option, "--slice", "0:4096"), message);
      }
      assert.deepEqual(JSON.parse(await printed("show", path, "--json", "--slice", "-1:")).shape, [1, 2 ** 13]);
    });
  });
});
