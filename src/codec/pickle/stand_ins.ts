/**
 * What stands for the things that Python makes while it pickles a value, and for a value to be written next.
 *
 * @module
 */
import type { NDArray } from "../../ndarray.ts";

/** What writing a value asks for: a value below it, or (undefined) that chunks be passed on. */
export type Steps = Generator<Child | undefined, void>;

/** A value to write next; `isFloat` where the number is a Python float. */
export class Child {
  value: unknown;
  isFloat: boolean;
  constructor(value: unknown, isFloat = false) {
    this.value = value;
    this.isFloat = isFloat;
  }
}

/** A callable or class by name. */
export class Global {
  readonly module: string;
  readonly name: string;
  constructor(module: string, name: string) {
    this.module = module;
    this.name = name;
  }
}

/** A tuple that Python makes while pickling: it is in the memo, but nothing refers to it. */
export class FreshTuple {
  readonly items: readonly unknown[];
  constructor(items: readonly unknown[]) {
    this.items = items;
  }
}

/** A list that Python makes while pickling. */
export class FreshList {
  readonly items: readonly unknown[];
  constructor(items: readonly unknown[]) {
    this.items = items;
  }
}

/** A text that Python makes while saving, such as a Tensor's name: not shared with an equal one. */
export class FreshText {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** The array inside a Tensor's pair. */
export class ArrayOf {
  readonly array: NDArray;
  constructor(array: NDArray) {
    this.array = array;
  }
}

/** A numpy dtype of ours. */
export class NumpyDType {
  readonly code: string;
  constructor(code: string) {
    this.code = code;
  }
}

/** Something of Python's builtins. */
export function builtin(name: string): Global {
  return new Global("builtins", name);
}
