import type { ServiceTools } from '../scope.ts';
import type { ClientStates, ReadClientState } from './client-state.ts';

/** An item whose clientState was signed by us. */
export interface Proven<Item> {
  item: Item;
  state: ReadClientState;
}

/** Sorts the items of a delivery by the tenant that each has proven; what has proven none is counted and dropped. */
export type ProveNotifications = <Item extends { clientState: string }>(
  values: readonly unknown[],
  read: (value: unknown) => Item | null,
) => Map<string, Proven<Item>[]>;

export function makeProveNotifications(states: ClientStates, tools: ServiceTools): ProveNotifications {
  return (values, read) => {
    const proven: { item: ReturnType<typeof read> & object; state: ReadClientState }[] = [];
    const dropped = { malformed: 0, foreign: 0 };
    for (const value of values) {
      const item = read(value);
      const state = item === null ? null : states.read(item.clientState);
      if (item === null) dropped.malformed += 1;
      else if (state === null) dropped.foreign += 1;
      else proven.push({ item, state });
    }
    for (const outcome of ['malformed', 'foreign'] as const) {
      if (dropped[outcome] === 0) continue;
      tools.metrics.notificationsReceived(outcome, dropped[outcome]);
      tools.logger.warn({ outcome, items: dropped[outcome] }, '[TeamsMeetings] operation=notification dropped');
    }
    return Map.groupBy(proven, ({ state }) => state.tenantId);
  };
}
