import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "@std/testing/bdd";
import * as paddle from "../../mod.ts";
import { save as saveNpy } from "../../src/npy.ts";
import { COMMANDS } from "../../src/cli/commands.ts";
import { VERSION } from "../../src/cli/version.ts";
import { Interrupt } from "../../src/io/process_console.ts";
import { NO_NUMPY, PYTHON } from "../helpers/python.ts";
import { oarlock, printed, type Ran } from "./run_command.ts";
import { withFault } from "../helpers/failing_system.ts";
import { inTempFolder } from "../helpers/in_temp_folder.ts";

const REAL = "tests/fixtures/real";
const NET = `${REAL}/paddle-3.3.1/net/net.pdparams`;
const NET_TEXT = `${REAL}/paddle-3.3.1/net/net.p2.pdparams`;
const METHODS = `${REAL}/paddle-2.4.2/jit-methods/m`;
const COMBINED = `${REAL}/paddle-2.4.2/jit-combine`;

/** The error output of a command that fails: one line and possibly a hint. */
async function refused(...args: string[]): Promise<string> {
  const { code, out, err } = await oarlock(args);
  assert.equal(code, 2, `oarlock ${args.join(" ")}: ${out}`);
  assert.equal(out, "");
  return err;
}

describe("help of the command line", () => {
  it("lists every command, and for each its options and what --json gives", async () => {
    const all = await printed("help");
    assert.equal(await printed(), all);
    for (const { name, summary, options, json } of COMMANDS) {
      assert.ok(all.includes(summary), name);
      const own = await printed("help", name);
      assert.equal(await printed(name, "--help"), own);
      for (const option of Object.keys(options)) assert.ok(own.includes(`--${option}`), `${name} --${option}`);
      assert.ok(json === undefined || own.includes(json), name);
    }
  });

  it("suggests the nearest command, option, limit or entry for a misspelt one", async () => {
    assert.match(await refused("convret", "a", "b"), /nearest is convert/);
    assert.match(await refused("ls", "--lnog", NET), /nearest is --long/);
    assert.match(await refused("ls", "--limit", "maxDept=3", NET), /nearest is maxDepth/);
    assert.match(await refused("show", NET, "head.wieght"), /nearest is "head.weight" \(NOT_FOUND\)/);
    assert.match(await refused("ls"), /ls needs FILE: oarlock ls FILE\nhint: oarlock help ls lists its options/);
    assert.match(await refused("ls", "a", "b"), /no more operands, but got b/);
    assert.match(await refused("ls", NET, "--limit"), /takes a value/);
    assert.match(await refused("ls", NET, "--long=yes"), /takes no value/);
    assert.match(await refused("convert", NET, "a.npz", "--dtype", "int8"), /one of float16/);
  });

  it("prints the version of the package", async () => {
    assert.equal(VERSION, JSON.parse(readFileSync("deno.json", "utf8")).version);
    assert.equal(await printed("--version"), VERSION + "\n");
  });
});

describe("ls", () => {
  it("shows a checkpoint, one array a line, and the total", async () => {
    const lines = (await printed("ls", NET)).trimEnd().split("\n");
    assert.match(lines[0], /^scale +float32 +\[2\] +8 B$/);
    assert.equal(lines.at(-1), "38 arrays, 710 B");
  });

  it("gives names, offsets and parameters as JSON, and the bytes are at these offsets", async () => {
    const { arrays, kind } = JSON.parse(await printed("ls", NET, "--json"));
    assert.equal(kind, "pickle");
    const found = arrays.find(({ name }: { name: string }) => name === "head.weight");
    assert.deepEqual(found, {
      name: "head.weight",
      dtype: "float32",
      shape: [2, 2],
      bytes: 16,
      offset: found.offset,
      kind: "Tensor",
      parameter: "linear_6.w_0",
    });
    assert.equal(readFileSync(NET).readFloatLE(found.offset), 8.5);
  });

  it("accepts a model by its prefix, any of its files, or its folder, of every Paddle version", async () => {
    const all = await printed("ls", METHODS);
    assert.match(all, /a\.weight +float32 +\[4, 3\]/);
    for (const end of [".pdmodel", ".pdiparams"]) assert.equal(await printed("ls", METHODS + end), all);
    assert.match(await printed("ls", `${REAL}/paddle-3.3.1/infer-control-flow`), /^w +float32 +\[4, 4\]/);
    for (const folder of ["fluid-infer-combined/d", "fluid-infer-combined/e"]) {
      assert.match(await printed("ls", `${REAL}/paddle-1.6.1/${folder}`), /fc_0\.w_0 +float32 +\[4, 5\]/);
    }
    assert.match(await printed("ls", `${REAL}/paddle-1.8.5/fluid-infer-separate/d`), /8 arrays/);
  });

  it("reads the files that are named, in a folder that has one model besides", async () => {
    await inTempFolder(async (folder) => {
      const real = `${REAL}/paddle-2.6.2`;
      for (const end of [".pdmodel", ".pdiparams"]) {
        cpSync(`${real}/jit-save/m${end}`, join(folder, `m${end}`));
        cpSync(`${real}/infer-several/less${end}`, join(folder, `less${end === ".pdmodel" ? end : ".params"}`));
      }
      const m = await printed("ls", folder);
      assert.equal(await printed("ls", folder, "--model-filename", "m.pdmodel"), m);
      assert.equal(await printed("ls", folder, "--params-filename", "m.pdiparams"), m);
      const less = await printed("ls", `${real}/infer-several/less`);
      const named = ["--model-filename", "less.pdmodel", "--params-filename", "less.params"];
      assert.equal(await printed("ls", folder, ...named), less);
      assert.match(await refused("ls", folder, ...named.slice(0, 2)), /MISSING_PART/);
      mkdirSync(join(folder, "m"));
      const both = ["--model-filename", "m.pdmodel", "--params-filename", "m.pdiparams"];
      assert.equal(await printed("ls", folder, ...both), m);
    });
  });

  it("reads a folder of tensors in which a folder is called model, as a file with a program may be", async () => {
    await inTempFolder(async (folder) => {
      cpSync(`${REAL}/paddle-1.8.5/fluid-infer-separate/d`, join(folder, "model"), { recursive: true });
      rmSync(join(folder, "model/__model__"));
      assert.match(await printed("ls", folder), /^model\/fc_0\.b_0 +float32 +\[5\]/m);
    });
  });

  it("reads inside an archive, and explains how when only the archive is given", async () => {
    const archive = "tests/fixtures/archives/gnu.tar";
    assert.match(await refused("ls", archive), /m_infer\/inference\.pdmodel.*\n.*--archive/);
    const all = await printed("ls", "m_infer/inference", "--archive", archive);
    assert.match(all, /arrays?, /);
    assert.equal(await printed("ls", "m_infer/inference.pdiparams", "--archive", archive), all);
    const name = all.slice(0, all.indexOf(" "));
    const change = ["set", "m_infer/inference", name, "--archive", archive, "--value", "0"];
    assert.match(await refused(...change), /archive cannot be written: pass --out/);
    await inTempFolder(async (folder) => {
      await printed(...change, "--out", join(folder, "m"));
      await printed("recover", "m_infer/inference", join(folder, "m.pdparams"), "--archive", archive);
      assert.match(await printed("show", join(folder, "m"), name), /0\./);
    });
  });

  it("shows a checkpoint in several files by its index, whose values can be changed but not its names", async () => {
    await inTempFolder(async (folder) => {
      await paddle.save(new Map([["a", paddle.zeros([2])]]), join(folder, "m-1-of-2.safetensors"), {
        safetensors: true,
      });
      await paddle.save(new Map([["b", paddle.zeros([3])]]), join(folder, "m-2-of-2.safetensors"), {
        safetensors: true,
      });
      const index = join(folder, "m.safetensors.index.json");
      const map = { a: "m-1-of-2.safetensors", b: "m-2-of-2.safetensors" };
      writeFileSync(index, JSON.stringify({ metadata: {}, weight_map: map }));
      assert.match(await printed("ls", index), /^a +float32 +\[2\] +8 B\nb +float32 +\[3\] +12 B\n2 arrays, 20 B\n$/);
      await printed("set", index, "b", "--at", "-1", "--value", "7");
      assert.match(await printed("show", join(folder, "m-2-of-2.safetensors")), /\[0\. 0\. 7\.\]/);
      assert.match(await refused("rename", index, "a", "c"), /\(shards\) cannot be rewritten.*\(UNSUPPORTED_FEATURE\)/);
      await printed("convert", index, join(folder, "one.safetensors"));
      assert.match(await printed("diff", index, join(folder, "one.safetensors")), /^2 entries the same/);
      const second = join(folder, "m-2-of-2.safetensors");
      writeFileSync(second, readFileSync(second).subarray(0, -1));
      assert.match(await refused("ls", index), /^error: "[^"]*m-2-of-2\.safetensors": Truncated/);
      assert.match((await oarlock(["verify", index])).out, /not intact\n"[^"]*m-2-of-2\.safetensors": Truncated/);
      assert.match(await refused("ls", second), /^error: Truncated/);
    });
  });

  it("shows values that are not arrays with --long, floats as floats", async () => {
    await inTempFolder(async (folder) => {
      const path = join(folder, "a.pdopt");
      const dict = new Map<string, unknown>([["lr", new paddle.Float(1)], ["epoch", 3], ["note", "a\nb"], ["list", [
        1,
        2,
      ]]]);
      await paddle.save(dict, path);
      const out = await printed("ls", path, "--long");
      for (
        const row of [/^lr +float +1\.0$/m, /^epoch +int +3$/m, /^note +str +"a\\nb"$/m, /^list +list +\[1, 2\]$/m]
      ) {
        assert.match(out, row);
      }
      assert.match(await printed("ls", path), /0 arrays, 0 B, 4 other values \(--long shows them\)/);
    });
  });

  it("escapes names that would control a terminal, in JSON too", async () => {
    await inTempFolder(async (folder) => {
      const path = join(folder, "a.pdparams");
      const names = ["\x1b[31mred\x1b[0m", "line\r\nfeed", "\u202eltr", "<img onerror=x>", "\x9b2J", "half \ud800"];
      await paddle.save(new Map(names.map((name) => [name, paddle.zeros([1])])), path);
      const text = await printed("ls", path);
      for (const shown of ["\\u001b[31mred", "line\\u000d\\u000afeed", "\\u202eltr", "<img onerror=x>", "\\u009b2J"]) {
        assert.ok(text.includes(shown), shown);
      }
      const json = await printed("ls", path, "--json");
      // deno-lint-ignore no-control-regex
      assert.doesNotMatch(text + json, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
      assert.deepEqual(JSON.parse(json).arrays.map(({ name }: { name: string }) => name), names);
    });
  });
});

describe("a file with an array that no Tensor can hold", () => {
  it("is listed, shown and changed like any other", () =>
    inTempFolder(async (folder) => {
      const path = join(folder, "a.pdparams"), copy = join(folder, "b.pdparams");
      const names = new paddle.OpaqueArray("<U1", [1], new Uint8Array([97, 0, 0, 0]));
      for (const to of [path, copy]) {
        await paddle.save(new Map<string, paddle.Value>([["w", paddle.fromArray([1], "float32")], ["x", names]]), to);
      }
      assert.match(await printed("ls", path), /^w +float32 +\[1\] +4 B$/m);
      assert.match(await printed("ls", "--long", path), /^x .*<U1/m);
      assert.equal(await printed("show", path, "x"), "ndarray <U1 [1]\n");
      await printed("set", path, "w", "--at", "0", "--value", "2");
      assert.match((await oarlock(["diff", path, copy])).out, /^~ w .*\n1 entry the same, 1 differ/);
      assert.match(await printed("verify", path), /intact/);
    }));
});

describe("show", () => {
  it("prints arrays as numpy does, shortened if they are large", async () => {
    await inTempFolder(async (folder) => {
      const path = join(folder, "a.safetensors");
      const w = new paddle.NDArray("float32", [100, 30], Float32Array.from({ length: 3000 }, (_, i) => i / 8));
      await paddle.save(new Map([["w", w]]), path, { safetensors: true });
      assert.equal(
        await printed("show", path, "w"),
        [
          "w  float32  [100, 30]",
          "[[     0.   0.125    0.25 ...   3.375     3.5   3.625]",
          " [   3.75   3.875      4. ...   7.125    7.25   7.375]",
          " [    7.5   7.625    7.75 ...  10.875     11.  11.125]",
          " ...",
          " [ 363.75 363.875    364. ... 367.125  367.25 367.375]",
          " [  367.5 367.625  367.75 ... 370.875    371. 371.125]",
          " [ 371.25 371.375   371.5 ... 374.625  374.75 374.875]]",
          "",
        ].join("\n"),
      );
      assert.equal((await printed("show", path, "w", "--full")).match(/\d/g)!.length > 3000, true);
      const rows = JSON.parse(await printed("show", path, "w", "--slice", "-2:", "--json"));
      assert.deepEqual([rows.shape, rows.data[1][29]], [[2, 30], 2999 / 8]);
      assert.deepEqual(JSON.parse(await printed("show", path, "--stats", "--json")).stats, {
        min: 0,
        max: 2999 / 8,
        mean: 2999 / 16,
        nan: 0,
        inf: 0,
      });
      assert.match(await refused("show", path, "w", "--slice", "a:b"), /--slice must be A:B/);
    });
  });

  it("prints NaN, infinities and integers beyond 2^53 in JSON", async () => {
    await inTempFolder(async (folder) => {
      const path = join(folder, "a.pdparams");
      const f = paddle.fromArray([NaN, -Infinity, -0], "float64"), i = paddle.fromArray([2n ** 62n + 1n], "int64");
      await paddle.save(new Map([["f", f], ["i", i]]), path);
      assert.match(await printed("show", path, "f", "--json"), /"data":\["NaN","-Infinity",-0\]/);
      assert.match(await printed("show", path, "i", "--json"), /"data":\[4611686018427387905\]/);
      assert.match(await printed("show", path, "f"), /\[ +nan -inf +-0\.\]/);
    });
  });

  it("finds deeply nested values, by keys that contain dots themselves", async () => {
    await inTempFolder(async (folder) => {
      const path = join(folder, "a.pdckpt");
      const inner = new Map<string, unknown>([["fc.weight", paddle.fromArray([1, 2], "int32")], ["fc", [5, "x"]]]);
      await paddle.save(new Map<string, unknown>([["model", inner], ["model.fc", 7]]), path);
      assert.match(await printed("show", path, "model.fc.weight"), /\[1 2\]/);
      assert.equal(await printed("show", path, "model.fc.1"), '"x"\n');
      assert.equal(await printed("show", path, "model.fc"), "7\n");
      assert.match(
        await printed("show", path, "model"),
        /^model\.fc\.weight +int32 +\[2\]\nmodel\.fc +list +\[5, "x"\]$/m,
      );
    });
  });

  it("stops when a value contains itself or unfolds without bounds", async () => {
    await inTempFolder(async (folder) => {
      const path = join(folder, "a.pkl");
      // l = []; l.append(l)
      writeFileSync(path, "(lp0\ng0\na.");
      assert.match(await printed("show", path), /\[/);
      assert.equal(JSON.parse(await printed("show", path, "--json")).value[0], null);
      let bomb: unknown[] = ["x"];
      for (let i = 0; i < 30; i++) bomb = [bomb, bomb];
      await paddle.save(bomb, path);
      assert.match(await printed("show", path), /\[/);
      assert.match(await refused("show", path, "--json"), /\(LIMIT\)/);
    });
  });
});

describe("program", () => {
  it("gives attributes of kinds that it does not know with all that is in them", () =>
    inTempFolder(async (folder) => {
      const file = join(folder, "m.json");
      const json = JSON.parse(readFileSync(`${REAL}/paddle-3.3.1/infer-several/n.json`, "utf8"));
      const odd = { a: [{ b: "x" }], __proto__: null };
      json.program.regions[0].blocks[0].ops[3].A.push({ N: "odd", AT: { "#": "9.a_odd", D: odd } });
      writeFileSync(file, JSON.stringify(json));
      const { operators } = JSON.parse(await printed("program", file, "--json", "--ops"));
      assert.deepEqual(operators[3].attributes.odd, { a: [{ b: "x" }] });
    }));

  it("shows .pdmodel and PIR's .json in the same way", async () => {
    const old = JSON.parse(await printed("program", METHODS, "--json", "--quiet"));
    assert.deepEqual([old.form, old.inputs], ["pdmodel", [{ name: "x", dtype: "float32", shape: [-1, 4] }]]);
    assert.deepEqual(old.ops, { feed: 1, matmul_v2: 1, elementwise_add: 1, fetch: 1 });
    const pir = JSON.parse(
      await printed("program", `${REAL}/paddle-3.3.1/infer-control-flow`, "--json", "--ops", "--vars"),
    );
    assert.deepEqual([pir.form, pir.parameters, pir.operators.length], ["json", 1, 26]);
    assert.ok(pir.variables.some(({ name }: { name: string }) => name === "w"));
    const text = await printed("program", `${REAL}/paddle-3.3.1/infer-control-flow`);
    assert.match(text, /^inputs +x +float32 \[-1, 4\]$/m);
    assert.match(text, /^ +pd_op\.matmul +1$/m);
    const lines = await printed("program", `${REAL}/paddle-3.3.1/infer-control-flow`, "--ops");
    assert.match(lines, /^%\d+ = pd_op\.matmul\(x, w\)$/m);
    assert.deepEqual(pir.operators.find(({ type }: { type: string }) => type === "pd_op.matmul").inputs, {
      0: ["x"],
      1: ["w"],
    });
    assert.match(
      await printed("program", METHODS, "--ops", "--quiet"),
      /linear_3\.tmp_0 = matmul_v2\(x, linear_0\.w_0\)/,
    );
    assert.match(
      await printed("program", METHODS + ".second.pdmodel", "--vars"),
      /linear_1\.w_0 +dense_tensor +float32 \[3, 2\] +persistable/,
    );
    assert.match(await refused("program", METHODS, "--method", "third"), /forward, other, second/);
    assert.match(await refused("program", NET), /no program.*\(UNSUPPORTED_FEATURE\)/);
  });
});

/** Arrays in numpy's files, as numpy reads them: [dtype, shape, sum, last] by name. */
function readByNumpy(code: string, ...args: string[]): Record<string, unknown> {
  const { stdout, stderr, status } = spawnSync(PYTHON, ["-c", `import sys, json, numpy\n${code}`, ...args], {
    encoding: "utf8",
  });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout);
}

describe("convert", () => {
  it("goes through every format and back with the same values", async () => {
    await inTempFolder(async (folder) => {
      let from = NET;
      for (const name of ["a.safetensors", "b.npz", "c.pdparams", "d.npz", "e.pdopt"]) {
        const to = join(folder, name);
        await printed("convert", from, to, ...(name === "d.npz" ? ["--compress"] : []));
        assert.match(await printed("diff", NET, to), /^38 entries the same/);
        from = to;
      }
      await printed("convert", from, join(folder, "old.pdparams"), "--protocol", "2");
      assert.match(await printed("diff", NET, join(folder, "old.pdparams")), /^38 entries the same/);
    });
  });

  it("leaves out objects of unknown classes if that is asked for", async () => {
    await inTempFolder(async (folder) => {
      const from = join(folder, "a.pkl"), to = join(folder, "b.pkl");
      // {"n": 1, "args": Namespace(), "sub": AttrDict(x=2), "mixed": [3, Namespace()]}
      const namespace = "cargparse\nNamespace\n)\x81";
      writeFileSync(
        from,
        `(dVn\nI1\nsVargs\n${namespace}sVsub\ncm\nAttrDict\n)\x81Vx\nI2\nssVmixed\n(lI3\na${namespace}as.`,
        "latin1",
      );
      assert.match(await refused("convert", from, to), /FORBIDDEN_SYMBOL/);
      const { code, out, err } = await oarlock(["convert", from, to, "--skip-unknown"]);
      assert.deepEqual([code, out], [0, `${to}: 0 arrays, ${readFileSync(to).length} B\n`]);
      assert.match(err, /left out, as their classes are unknown: args, mixed\.1\n/);
      assert.deepEqual(await paddle.load(to), new Map<string, unknown>([["n", 1], ["sub", new Map([["x", 2]])]]));
      assert.match(
        await refused("convert", from, to, "--skip-unknown", "--force", "--float8", "float8_e5m2"),
        /exclude each other/,
      );
      writeFileSync(from, `${namespace}.`, "latin1");
      assert.match(await refused("convert", from, to, "--skip-unknown", "--force"), /FORBIDDEN_SYMBOL/);
    });
  });

  it("writes files that numpy reads", { skip: NO_NUMPY }, async () => {
    await inTempFolder(async (folder) => {
      await printed("convert", NET, join(folder, "a.npz"));
      await printed("convert", NET, join(folder, "arrays/"));
      await printed("extract", NET, "head.weight", join(folder, "w.npy"));
      const said = readByNumpy(
        `z = numpy.load(sys.argv[1] + "/a.npz")
f = {k: numpy.load(sys.argv[1] + "/arrays/" + k + ".npy") for k in z.files}
print(json.dumps({
  "names": len(z.files), "same": all((z[k] == f[k]).all() and z[k].dtype == f[k].dtype for k in z.files),
  "w": numpy.load(sys.argv[1] + "/w.npy").tolist(), "steps": str(z["steps"].dtype), "mask": z["mask"].tolist(),
}))`,
        folder,
      );
      const state = await paddle.load(NET) as Map<string, paddle.Tensor>;
      assert.deepEqual(said, {
        names: 38,
        same: true,
        w: state.get("head.weight")!.toArray(),
        steps: "int64",
        mask: state.get("mask")!.toArray(),
      });
    });
  });

  it(
    "casts floats as numpy does, large ones in pieces, and leaves integers",
    { skip: NO_NUMPY },
    async () => {
      await inTempFolder(async (folder) => {
        const values = Float32Array.from({ length: 1_500_001 }, (_, i) => Math.sin(i) * 10 ** (i % 9 - 4));
        const path = join(folder, "a.pdparams"), to = join(folder, "b.npz");
        const dict = new Map([["w", new paddle.NDArray("float32", [values.length], values)], [
          "n",
          paddle.fromArray([1n]),
        ]]);
        for (const protocol of [4, 2]) {
          await paddle.save(dict, path, { protocol });
          await printed("convert", path, to, "--dtype", "float16", "--force");
          const said = readByNumpy(
            `z = numpy.load(sys.argv[1])
w = numpy.frombuffer(open(sys.argv[2], "rb").read(), numpy.float32)
print(json.dumps({"dtypes": [str(z[k].dtype) for k in z.files], "same": bool((z["w"] == w.astype(numpy.float16)).all())}))`,
            to,
            (writeFileSync(join(folder, "raw"), values), join(folder, "raw")),
          );
          assert.deepEqual(said, { dtypes: ["float16", "int64"], same: true });
        }
        await printed("convert", path, join(folder, "c.safetensors"), "--dtype", "bfloat16");
        const { arrays } = JSON.parse(await printed("ls", join(folder, "c.safetensors"), "--json"));
        assert.deepEqual(arrays.map(({ dtype }: { dtype: string }) => dtype), ["int64", "bfloat16"]);
      });
    },
  );

  it("reports what it leaves out, and overwrites nothing without --force", async () => {
    await inTempFolder(async (folder) => {
      const path = join(folder, "a.pdopt"), to = join(folder, "a.npz");
      await paddle.save(
        new Map<string, unknown>([["w", paddle.zeros([2])], ["LR_Scheduler", new Map([["last_epoch", 3]])]]),
        path,
      );
      const { code, out, err } = await oarlock(["convert", path, to]);
      assert.deepEqual([code, out], [0, `${to}: 1 array, ${readFileSync(to).length} B\n`]);
      assert.match(err, /warning: left out, as the file cannot hold them: LR_Scheduler\.last_epoch/);
      const before = readFileSync(to);
      assert.match(await refused("convert", NET, to), /already exists: --force overwrites it \(CONFLICT\)/);
      assert.deepEqual(readFileSync(to), before);
      await printed("convert", NET, to, "--force");
      assert.match(await refused("convert", NET, join(folder, "a.bin")), /names no format/);
      assert.match(await refused("convert", NET, join(folder, "a.npy")), /38 arrays: name one/);
      await printed("convert", NET, join(folder, "w.tensor"), "--name", "head.weight");
      assert.match(await printed("show", join(folder, "w.tensor")), /8\.5 8\.5625/);
    });
  });

  it("gives an array without a name one that no other array has", () =>
    inTempFolder(async (folder) => {
      const path = join(folder, "a.pdparams"), to = join(folder, "a.npz");
      await paddle.save(new Map([["", paddle.zeros([3])], ["arr_0", paddle.zeros([1])]]), path);
      await printed("convert", path, to);
      const { arrays } = JSON.parse(await printed("ls", to, "--json"));
      assert.deepEqual(arrays.map(({ name }: { name: string }) => name), ["arr_1", "arr_0"]);
    }));

  it("never leaves a folder through a name in a file", async () => {
    await inTempFolder(async (folder) => {
      const path = join(folder, "a.pdparams"), to = join(folder, "inside") + "/";
      await paddle.save(new Map([["../outside", paddle.zeros([1])]]), path);
      assert.match(await refused("convert", path, to), /\(UNSAFE_PATH\)/);
      await paddle.save(new Map([["a\nb", paddle.zeros([1])]]), path);
      assert.match(await refused("convert", path, to), /^error: The name "a\\nb\.npy" cannot be used/);
      assert.deepEqual(readdirSync(folder), ["a.pdparams"]);
      await paddle.save(new Map([["enc/fc", paddle.zeros([1])]]), path);
      await printed("convert", path, to);
      assert.ok(existsSync(join(to, "enc/fc.npy")));
    });
  });
});

describe("a system call that fails", () => {
  it("leaves a folder of arrays as it was: never some new arrays beside old ones", async () => {
    await inTempFolder(async (folder) => {
      const from = join(folder, "a.pdparams"), names = ["a.npy", "b.npy"];
      await paddle.save(new Map([["a", paddle.zeros([2])], ["b", paddle.zeros([3])]]), from);
      for (const old of [[], names]) {
        const convert = async (to: string, at: number) => {
          mkdirSync(join(folder, to));
          for (const name of old) writeFileSync(join(folder, to, name), "old");
          const args = ["convert", from, join(folder, to) + "/", "--force"];
          return await withFault(at, "ENOSPC", () => oarlock(args));
        };
        const { calls } = await convert(`whole ${old.length}`, -1), to = `failed ${old.length}`;
        const { err } = (await convert(to, calls.lastIndexOf("rename"))).value as Ran;
        assert.match(err, /\(DISK_FULL\)/);
        assert.deepEqual(readdirSync(join(folder, to)).sort(), old);
        for (const name of old) assert.equal(readFileSync(join(folder, to, name), "utf8"), "old");
      }
    });
  });

  it("and so leaves a variable's file under its old name is a warning: the model is renamed", async () => {
    await inTempFolder(async (folder) => {
      const fixture = `${REAL}/paddle-1.8.5/fluid-infer-separate/d`,
        rename = (model: string) => oarlock(["rename", model, "fc_0.w_0", "new"]);
      for (const name of ["a", "b"]) cpSync(fixture, join(folder, name), { recursive: true });
      const { calls } = await withFault(-1, "", () => rename(join(folder, "a")));
      const at = calls.findLastIndex((call) => ["remove", "unlink"].includes(call));
      const { code, err } = (await withFault(at, "EACCES", () => rename(join(folder, "b")))).value as Ran;
      assert.equal(code, 0, err);
      assert.match(err, /^warning: .*"fc_0\.w_0" is left: .*EACCES \(LEFTOVER\)$/m);
      assert.match(await printed("show", join(folder, "b"), "new"), /float32/);
    });
  });
});

describe("models on the command line", () => {
  it("are recovered with a report that counts many names and lists a few of them", async () => {
    await inTempFolder(async (folder) => {
      for (const end of [".pdmodel", ".pdiparams", ".pdiparams.info"]) cpSync(METHODS + end, join(folder, "m" + end));
      const info = await paddle.load(METHODS + ".pdiparams.info") as Map<string, Map<string, paddle.Value>>;
      for (let i = 0; i < 30; i++) info.set(`lost_${i}`, new Map([["structured_name", `gone.${i}`]]));
      await paddle.save(info, join(folder, "m.pdiparams.info"));
      const out = await printed("recover", join(folder, "m"), join(folder, "n.pdparams"));
      assert.match(out, /no longer in the model: b.weight, gone.0, gone.1, .* and 23 more \(--json lists all\)\n/);
      const json = JSON.parse(
        await printed("recover", join(folder, "m"), join(folder, "n.pdparams"), "--force", "--json"),
      );
      assert.equal(json.pruned.length, 33);
    });
  });

  it("are recovered with a report", async () => {
    await inTempFolder(async (folder) => {
      const to = join(folder, "r.pdparams");
      const out = await printed("recover", METHODS, to);
      assert.match(out, /5 tensors/);
      assert.match(out, /^exact: 5 of 5$/m);
      assert.match(out, /^note: No inference model holds optimizer state/m);
      const state = await paddle.load(to) as Map<string, paddle.Tensor>;
      assert.equal(state.get("a.weight")!.name, "linear_0.w_0");
      const json = JSON.parse(await printed("recover", METHODS + ".pdmodel", to, "--force", "--json"));
      assert.deepEqual(json.entries.map(({ key }: { key: string }) => key).sort(), [...state.keys()].sort());
      const named = JSON.parse(await printed("recover", METHODS, join(folder, "l.npz"), "--like", to, "--json"));
      assert.equal(named.entries.length, 5);
      const names = join(folder, "names.json");
      writeFileSync(names, '{"linear_0.w_0": "mine"}');
      const mine = JSON.parse(await printed("recover", METHODS, to, "--force", "--names", names, "--json"));
      assert.deepEqual(
        mine.entries.filter(({ name }: { name: string }) => name === "given").map(({ key }: { key: string }) => key),
        ["mine"],
      );
      writeFileSync(names, "[1]");
      assert.match(await refused("recover", METHODS, to, "--force", "--names", names), /JSON object/);
      assert.match(await refused("recover", NET, join(folder, "x.pdparams")), /\(NOT_FOUND\)/);
    });
  });

  it("can be converted from a folder of 1.x to today's files and back", async () => {
    await inTempFolder(async (folder) => {
      const old = `${REAL}/paddle-1.6.1/fluid-infer-combined/d`, prefix = join(folder, "m"), back = join(folder, "old");
      assert.equal(await printed("relayout", old, prefix), "m.pdiparams\nm.pdmodel\n");
      assert.match(await refused("relayout", old, prefix), /\(CONFLICT\)/);
      await printed("relayout", prefix, back, "--layout", "folder");
      assert.match(await printed("diff", old, back), /^8 entries the same/);
      assert.match(await printed("verify", back), /intact \(model\), 8 arrays/);
      await printed("rename", back, "fc_0.w_0", "head.weight");
      assert.ok(!existsSync(join(back, "fc_0.w_0")) && existsSync(join(back, "head.weight")));
      assert.match(await printed("program", back, "--vars"), /head\.weight/);
      assert.match(await refused("rename", back, "fc_0.w_0", "x"), /\(NOT_FOUND\)/);
    });
  });

  it("can have one parameter changed, in place or in a copy", async () => {
    await inTempFolder(async (folder) => {
      cpSync(COMBINED, folder, { recursive: true });
      const prefix = join(folder, "prop"), other = join(folder, "other");
      const changed = JSON.parse(await printed("set", prefix, "fc.bias", "--value", "0.5", "--json"));
      assert.equal(changed.changed, "in-place");
      assert.match(await printed("show", prefix, "fc.bias"), /\[0\.5 0\.5 0\.5\]/);
      await printed("set", prefix, "fc.bias", "--value", "2", "--at", "-1", "--out", other);
      assert.match(await printed("show", other, "fc.bias"), /\[0\.5 0\.5 +2\.\]/);
      assert.match(await printed("show", prefix, "fc.bias"), /\[0\.5 0\.5 0\.5\]/);
      for (const args of [["set", prefix, "fc.bias", "--value", "3"], ["rename", prefix, "linear_7.b_0", "bias"]]) {
        assert.match(await refused(...args, "--out", other), /already exists: --force overwrites it \(CONFLICT\)/);
      }
      await printed("set", prefix, "fc.bias", "--value", "3", "--out", other, "--force");
      assert.match(await printed("show", other, "fc.bias"), /\[3\. 3\. 3\.\]/);
    });
  });
});

describe("set and rename", () => {
  it("change one element and no other byte, or rewrite a file whose arrays are text", async () => {
    await inTempFolder(async (folder) => {
      for (const [from, how] of [[NET, "in-place"], [NET_TEXT, "anew"]]) {
        const path = join(folder, "a.pdparams");
        cpSync(from, path);
        const { changed } = JSON.parse(
          await printed("set", path, "head.weight", "--at", "0,1", "--value", "42", "--json"),
        );
        assert.equal(changed, how);
        const { differ, equal } = JSON.parse((await oarlock(["diff", from, path, "--json"])).out);
        assert.deepEqual([equal, differ.length, differ[0].maxDifference], [37, 1, 42 - 8.5625]);
        if (how === "in-place") {
          const [before, after] = [readFileSync(from), readFileSync(path)];
          assert.ok([...after].filter((byte, i) => byte !== before[i]).length <= 4);
        }
      }
    });
  });

  it("accept numbers of every kind, lists, and arrays from other files", async () => {
    await inTempFolder(async (folder) => {
      const path = join(folder, "a.pdparams");
      cpSync(NET, path);
      await printed("set", path, "steps", "--value", "9007199254740993");
      assert.match(await printed("show", path, "steps"), /9007199254740993/);
      assert.match(await refused("set", path, "steps", "--value", "1.5"), /1\.5 is not a valid int64/);
      await printed("set", path, "scale", "--value", "-inf");
      assert.match(await printed("show", path, "scale"), /\[-inf -inf\]/);
      await printed("set", path, "head.weight", "--value", "[[1, 2], [3, 4e-3]]");
      await printed("extract", path, "head.weight", join(folder, "w.npy"));
      await printed("set", path, "tied.weight", "--from", join(folder, "w.npy"));
      assert.match(await printed("show", path, "tied.weight"), /0\.004/);
      assert.match(
        await refused("set", path, "scale", "--from", join(folder, "w.npy")),
        /\(INVALID_VALUE\)\nhint: --replace accepts it as it is/,
      );
      await printed("set", path, "scale", "--from", join(folder, "w.npy"), "--replace");
      assert.match(await printed("show", path, "scale"), /float32 +\[2, 2\]/);
      const state = await paddle.load(path) as Map<string, paddle.Tensor>;
      assert.equal(state.get("tied.weight")!.name, "linear_6.w_0");
      assert.match(await refused("set", path, "scale"), /--value VALUE or --from FILE/);
    });
  });

  it("change other values, keeping floats floats and integers integers", async () => {
    await inTempFolder(async (folder) => {
      const path = join(folder, "a.pdopt");
      const scheduler = new Map<string, unknown>([["last_lr", new paddle.Float(1)], ["last_epoch", 3]]);
      await paddle.save(new Map<string, unknown>([["LR_Scheduler", scheduler], ["on", true], ["note", "x"]]), path);
      for (
        const [name, value] of [["LR_Scheduler.last_lr", "2"], ["LR_Scheduler.last_epoch", "4"], ["on", "false"], [
          "note",
          "7",
        ]]
      ) {
        await printed("set", path, name, "--value", value);
      }
      const out = await printed("ls", path, "--long");
      for (const row of [/last_lr +float +2\.0/, /last_epoch +int +4/, /on +bool +False/, /note +str +"7"/]) {
        assert.match(out, row);
      }
      await printed("rename", path, "LR_Scheduler.last_lr", "LR_Scheduler.lr");
      assert.match(await printed("ls", path, "--long"), /^LR_Scheduler\.lr +float +2\.0\nLR_Scheduler\.last_epoch/m);
      assert.match(await refused("rename", path, "LR_Scheduler.lr", "LR_Scheduler.last_epoch"), /\(NAME_COLLISION\)/);
      assert.match(await refused("set", path, "on", "--value", "maybe"), /True or False/);
    });
  });

  it("list a tensor that cannot be read, and refuse it alone; a file with it is not written without it", async () => {
    await inTempFolder(async (folder) => {
      const header =
        '{"q":{"dtype":"F4","shape":[4],"data_offsets":[0,2]},"w":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}}';
      const path = join(folder, "a.safetensors"),
        before = `${String.fromCharCode(header.length)}\0\0\0\0\0\0\0${header}12\x07`;
      writeFileSync(path, before, "latin1");
      const { code, out, err } = await oarlock(["ls", "--long", path]);
      assert.deepEqual([code, /^q +ndarray F4 +\[4\]\nw +uint8/m.test(out)], [0, true], out);
      assert.match(err, /^warning: "q" cannot be read: "q" holds F4/);
      assert.match(await printed("show", path, "w"), /7/);
      for (const args of [["extract", path, "q", join(folder, "q.npy")], ["rename", path, "w", "v"]]) {
        assert.match(await refused(...args), /^error: .*\(UNSUPPORTED_DTYPE\)$/m, args[0]);
      }
      assert.equal(readFileSync(path, "latin1"), before);
    });
  });

  it("keep the format and metadata of safetensors and .npz", async () => {
    await inTempFolder(async (folder) => {
      for (const name of ["a.safetensors", "a.npz"]) {
        const path = join(folder, name);
        await printed("convert", NET, path);
        await printed("rename", path, "head.weight", "out.weight");
        const { kind, arrays } = JSON.parse(await printed("ls", path, "--json"));
        assert.deepEqual([kind, arrays.length], [name.slice(2), 38]);
        assert.match(await printed("show", path, "out.weight"), /8\.5/);
      }
      assert.match(readFileSync(join(folder, "a.safetensors"), "latin1").slice(0, 100), /"format":"np"/);
      const protocol = ["--protocol", "2"], path = join(folder, "a.npz");
      assert.match(await refused("set", path, "scale", "--value", "1", ...protocol), /--protocol applies to pickles/);
      assert.match(await refused("rename", path, "scale", "s", ...protocol), /--protocol applies to pickles/);
    });
  });

  it("read the other file that they are given within --limit, too", () =>
    inTempFolder(async (folder) => {
      const path = join(folder, "a.pdparams"), few = ["--limit", "maxElements=100"];
      await printed("ls", NET, "--limit", `maxElements=${Number.MAX_SAFE_INTEGER},maxDepth=Infinity`);
      await paddle.save(new Map([["w", paddle.zeros([2])]]), path);
      const big = join(folder, "b.npy");
      await saveNpy(paddle.zeros([101]), big);
      const set = ["set", path, "w", "--replace", "--from", big];
      assert.match(await refused(...set, ...few), /--limit maxElements=NUMBER/);
      await printed(...set);
      const recover = ["recover", METHODS, join(folder, "c.pdparams"), "--like", path];
      assert.match(await refused(...recover, ...few), /--limit maxElements=NUMBER/);
    }));
});

describe("selected rows", () => {
  it("stay selected rows when they are changed or converted, and differ by their rows", () =>
    inTempFolder(async (folder) => {
      const [a, b, c] = ["a.tensor", "b.tensor", "c.tensor"].map((name) => join(folder, name));
      const rows = (...numbers: number[]) => new paddle.SelectedRows(numbers, 9, paddle.zeros([2, 2]));
      await paddle.save(rows(0, 5), a, { useBinaryFormat: true });
      await paddle.save(rows(0, 7), b, { useBinaryFormat: true });
      const { code, out } = await oarlock(["diff", a, b]);
      assert.equal(code, 1);
      assert.match(out, /float32 \[2, 2\], rows \[0, 5\] of 9 -> float32 \[2, 2\], rows \[0, 7\] of 9/);
      await printed("set", a, "", "--value", "4", "--out", c);
      const changed = await paddle.load(c) as paddle.SelectedRows;
      assert.deepEqual([changed.rows, changed.value.toArray()], [[0, 5], [[4, 4], [4, 4]]]);
      await printed("convert", a, c, "--dtype", "float64", "--force");
      const converted = await paddle.load(c) as paddle.SelectedRows;
      assert.deepEqual([converted.rows, converted.height, converted.value.dtype], [[0, 5], 9, "float64"]);
      const { leftOut } = JSON.parse(await printed("convert", a, join(folder, "a.npz"), "--json"));
      assert.deepEqual(leftOut, ["rows"]);
    }));
});

describe("diff, verify, detect and decrypt", () => {
  it("exit with 1 when the answer is no", async () => {
    await inTempFolder(async (folder) => {
      const path = join(folder, "a.pdparams");
      const state = await paddle.load(NET) as Map<string, paddle.Tensor>;
      state.get("scale")!.set(NaN, 0);
      state.delete("mask");
      await paddle.save(state, path);
      const { code, out } = await oarlock(["diff", NET, path]);
      assert.equal(code, 1);
      assert.match(out, /^- mask$/m);
      assert.match(out, /^~ scale +float32 \[2\] +max difference NaN$/m);
      assert.match(await printed("verify", path), /scale: 1 NaN/);
      writeFileSync(path, readFileSync(path).subarray(0, 2000));
      const broken = await oarlock(["verify", path]);
      assert.equal(broken.code, 1);
      assert.match(broken.out, /not intact\n.*\(TRUNCATED\)/);
      writeFileSync(path, "hello there");
      assert.deepEqual(await oarlock(["detect", path]), { code: 1, out: "unknown\n", err: "" });
      assert.equal((await oarlock(["audit", path])).code, 3);
      assert.equal(await printed("detect", NET), "pickle\n");
    });
  });

  it("find a file in an .npz with a wrong checksum", async () => {
    await inTempFolder(async (folder) => {
      const path = join(folder, "a.npz");
      await printed("convert", NET, path);
      assert.equal((await oarlock(["verify", path])).code, 0);
      const bytes = readFileSync(path);
      bytes[bytes.indexOf("NUMPY") + 123] ^= 1;
      writeFileSync(path, bytes);
      assert.equal((await oarlock(["verify", path])).code, 1);
    });
  });

  it("accept a tolerance, and can ignore dtypes", async () => {
    await inTempFolder(async (folder) => {
      const path = join(folder, "half.safetensors");
      await printed("convert", NET, path, "--dtype", "float16");
      assert.equal((await oarlock(["diff", NET, path, "--tolerance", "0.1"])).code, 1);
      assert.equal((await oarlock(["diff", NET, path, "--tolerance", "0.1", "--ignore-dtype"])).code, 0);
      assert.match(await refused("diff", NET, path, "--tolerance", "-1"), /number not below 0/);
      const [a, b] = [join(folder, "a"), join(folder, "b")];
      await paddle.save(new Map([["last_lr", 0.1]]), a);
      await paddle.save(new Map([["last_lr", 0.1001]]), b);
      assert.equal((await oarlock(["diff", a, b])).code, 1);
      assert.equal((await oarlock(["diff", a, b, "--tolerance", "0.001"])).code, 0);
    });
  });

  it("tell values apart by their types", () =>
    inTempFolder(async (folder) => {
      const [a, b] = [join(folder, "a.pdparams"), join(folder, "b.pdparams")];
      await paddle.save(new Map([["x", [1]], ["same", [NaN, 2, 0.5]]]), a);
      await paddle.save(new Map([["x", [new paddle.Float(1)]], ["same", [NaN, 2, 0.5]]]), b);
      const { code, out } = await oarlock(["diff", a, b]);
      assert.equal(code, 1);
      assert.match(out, /^~ x +list \[1\] -> list \[1\.0\]\n1 entry the same, 1 differ,/);
    }));

  it("tell apart every one of several values whose keys join to the same name", () =>
    inTempFolder(async (folder) => {
      const [a, b] = [join(folder, "a"), join(folder, "b")];
      const saved = (number: number, element: number, path: string) => {
        const inner = new Map([["b", paddle.fromArray([element], "float32")]]);
        return paddle.save(new Map<string, paddle.Value>([["a.b", number], ["a", inner]]), path);
      };
      await saved(1, 2, a);
      await saved(1, 2, b);
      assert.match(await printed("diff", a, b), /^2 entries the same, 0 differ/);
      await saved(5, 2, b);
      assert.match((await oarlock(["diff", a, b])).out, /^~ a\.b +int 1 -> int 5\n1 entry the same, 1 differ/);
      await saved(1, 6, b);
      assert.match((await oarlock(["diff", a, b])).out, /^~ a\.b#2 .* max difference 4\n1 entry the same, 1 differ/);
    }));

  it("find files the same whose entries are in another order, also if their keys join to the same name", () =>
    inTempFolder(async (folder) => {
      const [a, b] = [join(folder, "a"), join(folder, "b")];
      const array = (element: number) => paddle.fromArray([element], "float32");
      const entries: [string, paddle.Value][] = [
        ["a.b", 1],
        ["a", new Map<string, paddle.Value>([["b", 2], ["c", array(3)]])],
        ["a.c", array(4)],
      ];
      await paddle.save(new Map(entries), a);
      await paddle.save(new Map(entries.toReversed()), b);
      assert.match(await printed("diff", a, b), /^4 entries the same, 0 differ, 0 only/);
      await paddle.save(new Map(entries.slice(0, 2)), b);
      assert.equal(JSON.parse((await oarlock(["diff", a, b, "--json"])).out).equal, 3);
    }));

  it("find the properties of a Layer intact, which are in an empty file if it has none", () =>
    inTempFolder(async (folder) => {
      const whole = readFileSync("tests/fixtures/real/paddle-2.4.2/jit-combine/prop.meta"),
        path = join(folder, "m.meta");
      for (const [bytes, code] of [[whole, 0], [new Uint8Array(), 0], [whole.subarray(0, -1), 1]] as const) {
        writeFileSync(path, bytes);
        const { code: actual, out } = await oarlock(["verify", path]);
        assert.equal(actual, code, out);
        assert.match(out, code === 0 ? /intact \(properties\), 0 arrays/ : /not intact/);
      }
    }));

  it("tell apart keys of different types that make the same name, such as 1 and the text 1", () =>
    inTempFolder(async (folder) => {
      const [a, b] = [join(folder, "a"), join(folder, "b")];
      const array = paddle.fromArray([1], "float32"), inner = (key: unknown) => new Map([[key, 3]]);
      const values = [
        new Map([[1, 3]]),
        new Map([["1", 3]]),
        new Map([[true, 3]]),
        inner("x"),
        [array],
        new Map([[0, array]]),
      ];
      for (const one of values) {
        for (const other of values) {
          await paddle.save(one, a);
          await paddle.save(other, b);
          assert.equal((await oarlock(["diff", a, b])).code, one === other ? 0 : 1);
        }
      }
      await paddle.save({ s: inner(1) }, a);
      await paddle.save({ s: inner("1") }, b);
      assert.match(
        (await oarlock(["diff", a, b])).out,
        /^~ s\.1 +int 3, keys str\.int -> int 3, keys str\.str\n0 entries/,
      );
      const { differ } = JSON.parse((await oarlock(["diff", a, b, "--json"])).out);
      assert.deepEqual(differ, [
        { name: "s.1", a: { type: "int", value: 3, keys: "str.int" }, b: { type: "int", value: 3, keys: "str.str" } },
      ]);
    }));

  it("find the arrays whose keys are sets, which they list", () =>
    inTempFolder(async (folder) => {
      const [a, b] = [join(folder, "a"), join(folder, "b")];
      for (const [path, element] of [[a, 1], [b, 3]] as const) {
        const array = paddle.fromArray([element], "float32");
        await paddle.save(new Map([["x", new Map([[new paddle.FrozenSet([1]), array]])]]), path);
      }
      const { out } = await oarlock(["diff", a, b]);
      assert.match(out, /^~ (x\S.*?) {2}.* max difference 2\n0 entries the same, 1 differ/);
      assert.match(await printed("show", a, /^~ (x\S.*?) {2}/.exec(out)![1]), /float32/);
    }));

  it("tell in which files two distributed checkpoints have their parts", () =>
    inTempFolder(async (folder) => {
      await paddle.distributed.saveStateDict(new Map([["x", paddle.zeros([2])], ["y", paddle.zeros([2])]]), folder);
      const [a, b] = [join(folder, "0.metadata"), join(folder, "moved.metadata")];
      const metadata = await paddle.load<paddle.PythonRecord>(a);
      const files = metadata.fields.get("storage_metadata") as Map<paddle.Value, paddle.Value>;
      files.set([...files.keys()][0], "1_0.distcp");
      await paddle.save(metadata, b);
      const { code, out } = await oarlock(["diff", a, b]);
      assert.equal(code, 1);
      assert.match(
        out,
        /^~ storage_metadata\.\{"tensor_key": "x", .* str "0_0\.distcp" -> str "1_0\.distcp"\n5 entries/,
      );
    }));

  it("decrypt files of Paddle's ciphers", async () => {
    await inTempFolder(async (folder) => {
      const base = "tests/fixtures/crypto/AES_GCM_NoPadding-256", to = join(folder, "plain");
      await printed(
        "decrypt",
        base + ".enc",
        to,
        "--key",
        base + ".key",
        "--config",
        "tests/fixtures/crypto/AES_GCM_NoPadding.txt",
      );
      assert.deepEqual(readFileSync(to), readFileSync("tests/fixtures/crypto/plain.bin"));
      const wrong = [
        "decrypt",
        base + ".enc",
        to,
        "--key",
        "tests/fixtures/crypto/AES_CTR_NoPadding-256.key",
        "--force",
      ];
      assert.match(await refused(...wrong, "--config", "tests/fixtures/crypto/AES_GCM_NoPadding.txt"), /^error: /);
      assert.match(await refused("decrypt", base + ".enc", to), /--key FILE/);
    });
  });
});

describe("an interrupted command", () => {
  it("stops decrypt while it waits for a server", () =>
    inTempFolder(async (folder) => {
      const key = join(folder, "key"), { fetch } = globalThis, stop = new AbortController();
      writeFileSync(key, new Uint8Array(16));
      globalThis.fetch = (_, init) =>
        new Promise((_, fail) => {
          init!.signal!.addEventListener("abort", () => fail(init!.signal!.reason));
          stop.abort(new Interrupt(2));
        });
      try {
        const args = ["decrypt", "http://localhost/a", join(folder, "a"), "--key", key];
        assert.equal((await oarlock(args, { signal: stop.signal })).code, 130);
      } finally {
        globalThis.fetch = fetch;
      }
    }));

  it("exits with the signal's code and leaves the old file, and nothing beside it", async () => {
    await inTempFolder(async (folder) => {
      const from = join(folder, "a.pdparams"), to = join(folder, "a.npz");
      await paddle.save(new Map([["w", paddle.zeros([2 ** 24])]]), from, { verify: false });
      writeFileSync(to, "old");
      for (const delay of [0, 20]) {
        const stop = new AbortController();
        setTimeout(() => stop.abort(new Interrupt(2)), delay);
        const stopped = await oarlock(["convert", from, to, "--force", "--dtype", "float16"], { signal: stop.signal });
        assert.deepEqual([stopped.code, stopped.err], [130, "error: stopped; no file was left half-written\n"]);
        assert.equal(readFileSync(to, "utf8"), "old");
        assert.deepEqual(readdirSync(folder).sort(), ["a.npz", "a.pdparams"]);
      }
    });
  });
});

describe("a value nested without bound, when limits allow it", () => {
  const DEPTH = 20_000;
  const JSON_OF = (attribute: string) =>
    '{"base_code":{"magic":"pir","trainable":true,"version":1},"program":{"regions":[{"#":"r","blocks":[{"#":"b",' +
    `"args":[],"ops":[{"#":"1.relu","A":[{"AT":${attribute},"N":"x"}],"I":[],"O":[],"OA":[]}]}]}]}}`;

  it("is shown in part, and is refused as too deep for JSON", () =>
    inTempFolder(async (folder) => {
      const pickle = join(folder, "deep.pdparams"), program = join(folder, "deep.json");
      const opcodes = [0x80, 4, ...Array(DEPTH).fill(0x5d), ...Array(DEPTH - 1).fill(0x61), 0x2e];
      writeFileSync(pickle, Uint8Array.from(opcodes));
      writeFileSync(program, JSON_OF(`{"#":"9.odd","D":${"[".repeat(DEPTH)}${"]".repeat(DEPTH)}}`));
      const limit = ["--limit", "maxDepth=100000,maxJsonDepth=100000"];
      assert.equal(await printed("show", pickle, ...limit), "[[[[...]]]]\n");
      assert.match(await refused("show", pickle, "--json", ...limit), /nests more than 1000 deep.*LIMIT/);
      assert.match(await printed("diff", pickle, pickle, ...limit), /^1 entry the same, 0 differ/);
      assert.match(await refused("program", program, "--ops", "--json", ...limit), /nests more than 1000 deep.*LIMIT/);
    }));

  it("is given whole up to a depth of one thousand", () =>
    inTempFolder(async (folder) => {
      const pickle = join(folder, "deep.pdparams");
      writeFileSync(pickle, Uint8Array.from([0x80, 4, ...Array(900).fill(0x5d), ...Array(899).fill(0x61), 0x2e]));
      const { value } = JSON.parse(await printed("show", pickle, "--json", "--limit", "maxDepth=1000"));
      let depth = 0;
      for (let at = value; at !== undefined; at = at[0]) depth++;
      assert.equal(depth, 900);
    }));
});
