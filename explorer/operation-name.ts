import { Kind, parse } from 'graphql';

/**
 * The name of the operation that is to be run. GraphiQL learns it a moment after a tab was opened, so that whoever is
 * quick would run the operation of the tab before: a name that the document does not have gives way to its first one.
 */
export function operationNameIn(query: string, named: string | null | undefined): string | undefined {
  try {
    const names = parse(query).definitions.flatMap((definition) =>
      definition.kind === Kind.OPERATION_DEFINITION && definition.name !== undefined ? [definition.name.value] : [],
    );
    return named && names.includes(named) ? named : names[0];
  } catch {
    // The server says what is wrong with it.
    return named ?? undefined;
  }
}
