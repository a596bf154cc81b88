/**
 * Values in PowerShell scripts that an administrator copies and runs. Who named an organizer, a group or an app must not
 * be able to add a command. By the PowerShell language specification (about_Quoting_Rules, and the grammar's
 * single-quote-character and double-quote-character), typographic quotation marks end a string as the plain ones do.
 */
const SINGLE_QUOTES = /['\u2018\u2019\u201A\u201B]/gu;
const SPECIAL_IN_DOUBLE_QUOTES = /[`$"\u201C\u201D\u201E]/gu;

/** Line ends, control and format characters, and halves of characters: nothing of it belongs to a name. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** The text without what cannot be seen and could make a script look like another one. */
export function visible(text: string): string {
  return text.replace(INVISIBLE, '');
}

/** The text as one single-quoted string, in which nothing but the quotation mark has a meaning. */
export function quoted(text: string): string {
  return `'${visible(text).replace(SINGLE_QUOTES, '$&$&')}'`;
}

/** The text as one double-quoted string in which nothing is replaced: no variable, no subexpression, no escape. */
export function doubleQuoted(text: string): string {
  return `"${visible(text).replace(SPECIAL_IN_DOUBLE_QUOTES, '`$&')}"`;
}

/**
 * The condition of a recipient filter (OPATH) that a property has this value, not yet quoted for the script. A quotation
 * mark in a value is doubled (Exchange Online: "Recipient filters"). Whether OPATH takes typographic ones for quotation
 * marks is not documented: doubled, the filter matches nobody where it does not, and cannot be widened where it does.
 */
export function equalsInFilter(property: string, value: string): string {
  return `${property} -eq ${quoted(value)}`;
}
