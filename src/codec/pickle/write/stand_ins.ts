/**
 * Stand-ins for objects that Python creates while it pickles a value, and for a value to be written next.
 *
 * @module
 */
import type { NDArray } from "../../../ndarray.ts";

/** The steps of writing a value. Each yields a child to write next, or undefined to have the ready chunks passed on. */
export type Steps = Generator<Child | undefined, void>;

/** A value to write next; `isFloat` if it is a number that Python knows as a float. */
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

/** A tuple that Python creates while pickling: it is memoized, but nothing refers to it. */
export class FreshTuple {
  readonly items: readonly unknown[];
  constructor(items: readonly unknown[]) {
    this.items = items;
  }
}

/** A list that Python creates while pickling. */
export class FreshList {
  readonly items: readonly unknown[];
  constructor(items: readonly unknown[]) {
    this.items = items;
  }
}

/** A string that Python creates while saving, such as a Tensor's name: not shared with an equal string. */
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

/** A numpy dtype that tensors can have. */
export class NumpyDType {
  readonly code: string;
  constructor(code: string) {
    this.code = code;
  }
}

/** A Python builtin. */
export function builtin(name: string): Global {
  return new Global("builtins", name);
}
