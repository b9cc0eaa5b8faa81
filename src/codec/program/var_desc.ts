/**
 * A variable of a ProgramDesc: decoded on demand, and written as it was read unless it was changed.
 *
 * @module
 */
import { type DType, dtypeInfo, dtypeOfVarType } from "../../dtype.ts";
import { ValueError } from "../../errors.ts";
import type { ProgramVariable, VariableKind } from "../../program.ts";
import { makeMessage, type Messages, readMessage, writeMessage } from "./message.ts";
import { nameOf, utf8Of } from "./text.ts";

type Message = Messages["VarDesc"];
type Tensor = Messages["VarType.TensorDesc"];

/** Kinds by their number in VarType.Type. */
const KINDS: ReadonlyMap<number, VariableKind> = new Map([
  [7, "dense_tensor"],
  [8, "selected_rows"],
  [9, "feed_minibatch"],
  [10, "fetch_list"],
  [11, "step_scopes"],
  [13, "dense_tensor_array"],
  [15, "reader"],
  [17, "raw"],
  [26, "strings"],
  [27, "vocab"],
  [30, "sparse_coo"],
  [31, "sparse_csr"],
]);

/** Properties of a new variable. */
export interface VarInit {
  kind?: "dense_tensor" | "feed_minibatch" | "fetch_list";
  dtype?: DType;
  shape?: readonly number[];
  persistable?: boolean;
  isParameter?: boolean;
  stopGradient?: boolean;
}

/** A variable. */
export class VarDesc implements ProgramVariable {
  #raw: Uint8Array | null;
  #message: Message | null = null;
  // Looking up a variable compares all names, so each is decoded only once.
  #name: string | null = null;
  /** How often it was changed. */
  changes = 0;

  /** A variable from bytes that were checked, or from a message. */
  constructor(from: Uint8Array | Message) {
    if (from instanceof Uint8Array) this.#raw = from;
    else {
      this.#raw = null;
      this.#message = from;
    }
  }

  /** A new variable. */
  static of(name: string, init: VarInit = {}): VarDesc {
    const { kind = "dense_tensor", dtype, shape, persistable, isParameter, stopGradient } = init;
    const type = makeMessage("VarType", { type: [...KINDS].find(([, word]) => word === kind)![0] });
    if (kind === "dense_tensor") {
      const tensor = makeMessage("VarType.TensorDesc", {
        dataType: dtypeInfo(dtype ?? "float32").varType!,
        dims: (shape ?? []).map(BigInt),
      });
      type.denseTensor = makeMessage("VarType.DenseTensorDesc", { tensor });
    }
    return new VarDesc(makeMessage("VarDesc", { name: utf8Of(name), type, persistable, isParameter, stopGradient }));
  }

  get name(): string {
    return this.#name ??= nameOf(this.#read().name);
  }

  set name(name: string) {
    this.#change().name = utf8Of(name);
    this.#name = name;
  }

  /** Its number in VarType.Type. */
  get typeCode(): number {
    return this.#read().type!.type;
  }

  get kind(): VariableKind {
    return KINDS.get(this.typeCode) ?? "other";
  }

  get dtype(): DType | null {
    const tensor = this.#tensor();
    return (tensor && dtypeOfVarType(tensor.dataType)?.name) ?? null;
  }

  get shape(): readonly number[] | null {
    // Paddle computes with the -1 of an unknown axis: -7 means unknown, too.
    return this.#tensor()?.dims.map((axis) => Math.max(-1, Number(axis))) ?? null;
  }

  /** Set the dtype and shape, which only tensor-like kinds have. */
  setTensor(dtype: DType, shape: readonly number[]): void {
    this.#change();
    const tensor = this.#tensor();
    if (!tensor) throw new ValueError("INVALID_VALUE", `The variable ${this.name} is not a tensor`, { at: this.name });
    tensor.dataType = dtypeInfo(dtype).varType!;
    tensor.dims = shape.map(BigInt);
  }

  get lodLevel(): number {
    const { denseTensor, tensorArray } = this.#read().type!;
    const own = this.kind === "dense_tensor_array" ? tensorArray : denseTensor;
    return (own ?? denseTensor ?? tensorArray)?.lodLevel ?? 0;
  }

  get persistable(): boolean {
    return this.#read().persistable;
  }

  set persistable(persistable: boolean) {
    if (persistable !== this.persistable) this.#change().persistable = persistable;
  }

  /** Whether feeding checks shape and dtype. */
  get needCheckFeed(): boolean {
    return this.#read().needCheckFeed;
  }

  get isParameter(): boolean {
    return this.#read().isParameter;
  }

  get stopGradient(): boolean | undefined {
    const message = this.#read();
    return Object.hasOwn(message, "stopGradient") ? message.stopGradient : undefined;
  }

  /** Remove the marks that only training needs: Paddle writes inference programs without them. */
  clearTrainingMarks(): void {
    const message = this.#read();
    if (!Object.hasOwn(message, "isParameter") && !Object.hasOwn(message, "stopGradient")) return;
    const changed = this.#change() as Partial<Message>;
    delete changed.isParameter;
    delete changed.stopGradient;
  }

  /** An independent copy. */
  clone(): VarDesc {
    return new VarDesc(this.serialize());
  }

  /** The bytes of its message, which it then keeps. */
  serialize(): Uint8Array {
    return this.#raw ??= writeMessage("VarDesc", this.#message!);
  }

  #tensor(): Tensor | undefined {
    const { denseTensor, selectedRows, tensorArray, strings, vocab, sparseCoo, sparseCsr } = this.#read().type!;
    // A variable that became a tensor array retains its earlier description, too.
    const { kind } = this;
    const own = kind === "dense_tensor_array" ? tensorArray?.tensor : kind === "selected_rows" ? selectedRows : null;
    return own ?? denseTensor?.tensor ?? selectedRows ?? tensorArray?.tensor ?? strings ?? vocab ?? sparseCoo ??
      sparseCsr;
  }

  #read(): Message {
    return this.#message ??= readMessage("VarDesc", this.#raw!);
  }

  #change(): Message {
    const message = this.#read();
    this.changes++;
    this.#raw = null;
    return message;
  }
}
