/**
 * Reads PowerShell as PowerShell does, as far as a script of commands goes: by the lexical grammar of the "Windows
 * PowerShell Language Specification" (2.2 Lexical structure, 2.3.5.2 String literals) and about_Quoting_Rules. What it does
 * not know makes it throw, so that nothing passes by being overlooked.
 */

export interface Argument {
  /** What the command gets. */
  value: string;
  /** `-Name` outside of quotation marks. */
  isParameter: boolean;
  /** Something in it would be evaluated: a variable, a subexpression. */
  isEvaluated: boolean;
}

const SINGLE = new Set(["'", '\u2018', '\u2019', '\u201A', '\u201B']);
const DOUBLE = new Set(['"', '\u201C', '\u201D', '\u201E']);
const NEW_LINE = new Set(['\n', '\r', '\u0085', '\u2028', '\u2029']);
const DASH = new Set(['-', '\u2013', '\u2014', '\u2015']);
/** Outside of strings each of these begins something else than an argument of a plain command. */
const OPERATORS = new Set(['|', '&', ';', '<', '>', '(', ')', '{', '}', '@', ',', '[', ']', '%', '=']);
const ESCAPES: Readonly<Record<string, string>> = {
  '0': '\0',
  a: '\x07',
  b: '\b',
  e: '\x1b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/** The commands of a script in their order, each with its name first. @throws for anything but plain commands */
export function readCommands(script: string): Argument[][] {
  const characters = [...script];
  const commands: Argument[][] = [];
  let command: Argument[] = [];
  let place = 0;
  const at = (offset = 0) => characters[place + offset] ?? '';
  const isSpace = (one: string) => one !== '' && !NEW_LINE.has(one) && /\s/u.test(one);

  function endCommand(): void {
    if (command.length > 0) commands.push(command);
    command = [];
  }

  function singleQuoted(): string {
    let value = '';
    for (place += 1; place < characters.length; place += 1) {
      if (!SINGLE.has(at())) value += at();
      else if (SINGLE.has(at(1))) {
        value += at();
        place += 1;
      } else {
        place += 1;
        return value;
      }
    }
    throw new Error('a single-quoted string has no end');
  }

  function doubleQuoted(): { value: string; isEvaluated: boolean } {
    let value = '';
    let isEvaluated = false;
    for (place += 1; place < characters.length; place += 1) {
      const one = at();
      if (one === '`') {
        place += 1;
        value += ESCAPES[at()] ?? at();
      } else if (one === '$' && /[\p{L}\p{N}_({:?^$]/u.test(at(1))) {
        isEvaluated = true;
        value += one;
      } else if (!DOUBLE.has(one)) value += one;
      else if (DOUBLE.has(at(1))) {
        value += one;
        place += 1;
      } else {
        place += 1;
        return { value, isEvaluated };
      }
    }
    throw new Error('a double-quoted string has no end');
  }

  function argument(): Argument {
    const isParameter = DASH.has(at());
    let value = '';
    let isEvaluated = false;
    while (place < characters.length && !isSpace(at()) && !NEW_LINE.has(at()) && at() !== ';') {
      const one = at();
      if (SINGLE.has(one)) value += singleQuoted();
      else if (DOUBLE.has(one)) {
        const string = doubleQuoted();
        value += string.value;
        isEvaluated ||= string.isEvaluated;
      } else if (OPERATORS.has(one) || one === '`') throw new Error(`${one} outside of a string`);
      else {
        // `$true` and `$false` are the only variables that the scripts use, on purpose.
        if (one === '$' && !/^\$(true|false)(\s|$)/u.test(characters.slice(place, place + 7).join('')))
          isEvaluated = true;
        value += one;
        place += 1;
      }
    }
    return { value, isParameter, isEvaluated };
  }

  /** `@{Name='value'}`, a table with one entry: the one form of tables that the scripts use. */
  function table(): Argument {
    const begun = /^@\{(\w+)=/u.exec(characters.slice(place, place + 40).join(''))?.[0];
    if (begun === undefined) throw new Error('@ outside of a string');
    place += begun.length;
    if (!SINGLE.has(at())) throw new Error('the entry of the table is not quoted');
    const value = begun + singleQuoted();
    if (at() !== '}') throw new Error('the table goes on after its entry');
    place += 1;
    return { value: `${value}}`, isParameter: false, isEvaluated: false };
  }

  while (place < characters.length) {
    const one = at();
    if (NEW_LINE.has(one) || one === ';') {
      endCommand();
      place += 1;
    } else if (isSpace(one)) place += 1;
    else if (one === '#') throw new Error('a comment');
    else if (one === '@' && (SINGLE.has(at(1)) || DOUBLE.has(at(1)))) throw new Error('a here-string');
    else if (one === '@') command.push(table());
    else command.push(argument());
  }
  endCommand();
  return commands;
}

/**
 * Reads a recipient filter (OPATH) of the one form that the scripts use: a property, `-eq`, and a value in quotation
 * marks in which a quotation mark is doubled. Strict where the documentation is silent: a typographic one counts as one.
 */
export function readFilter(filter: string): { property: string; value: string } {
  const [, property, literal] = /^(\w+) -eq (.*)$/su.exec(filter) ?? [];
  if (property === undefined || literal === undefined) throw new Error('not a comparison');
  const characters = [...literal];
  if (!SINGLE.has(characters[0] ?? '')) throw new Error('the value is not quoted');
  let value = '';
  for (let place = 1; place < characters.length; place += 1) {
    const one = characters[place] ?? '';
    if (!SINGLE.has(one)) value += one;
    else if (SINGLE.has(characters[place + 1] ?? '')) {
      value += one;
      place += 1;
    } else if (place === characters.length - 1) return { property, value };
    else throw new Error('the filter goes on after the value');
  }
  throw new Error('the value has no end');
}
