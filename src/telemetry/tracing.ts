import {
  type Attributes,
  type Context,
  context,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';

export { type Attributes, type Span, SpanKind } from '@opentelemetry/api';

/** Read on hot paths: where nobody collects traces, this is all that tracing costs. */
let isOn = false;

/** Whether spans are made at all. */
export function isTracing(): boolean {
  return isOn;
}

/** For who starts and stops the collecting of spans; see `startTracing`. */
export function switchTracing(on: boolean): void {
  isOn = on;
}

export interface SpanOptions {
  kind?: SpanKind;
  /** Never a secret, a join link, a title or what somebody said: who reads traces may read none of it. */
  attributes?: Attributes;
  /** What the span goes on with; default: the active span. */
  parent?: Context;
  /** A span that led to this one without being its parent. */
  linkedTo?: Context;
}

/** Begins a span that the caller ends, for work that has no one function around it. Call it only while tracing. */
export function beginSpan(name: string, { kind, attributes, parent, linkedTo }: SpanOptions = {}): Span {
  const linked = linkedTo && trace.getSpanContext(linkedTo);
  return trace
    .getTracer('teams-meetings-subgraph')
    .startSpan(
      name,
      { kind: kind ?? SpanKind.INTERNAL, attributes, links: linked ? [{ context: linked }] : [] },
      parent ?? context.active(),
    );
}

/** What a failure is called in a trace: a code if it has one, else its kind. Messages may quote what is secret. */
function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const { kind, code, extensions } = error as Error & {
    kind?: unknown;
    code?: unknown;
    extensions?: { code?: unknown };
  };
  const known = [kind, extensions?.code, code].find((name) => typeof name === 'string' && /^\w{1,60}$/.test(name));
  return known === undefined ? error.name : String(known);
}

/** Marks a span as failed, by the name of the failure alone. */
export function failSpan(span: Span, error: unknown): void {
  span.setAttribute('error.type', nameOf(error));
  span.setStatus({ code: SpanStatusCode.ERROR });
}

/** Says more of the active span, if there is one. */
export function annotateSpan(attributes: Attributes): void {
  if (isOn) trace.getActiveSpan()?.setAttributes(attributes);
}

/** Runs `work` with the span as the active one, from which its own spans descend. */
export function runIn<T>(span: Span, work: () => T): T {
  return context.with(trace.setSpan(context.active(), span), work);
}

/**
 * Runs `work` in a span of its own that ends with it. Where nobody collects traces, it only runs `work`, which then
 * gets no span.
 */
export function inSpan<T>(name: string, options: SpanOptions, work: (span?: Span) => Promise<T>): Promise<T> {
  if (!isOn) return work();
  const span = beginSpan(name, options);
  const parent = options.parent ?? context.active();
  return context.with(trace.setSpan(parent, span), async () => {
    try {
      return await work(span);
    } catch (error) {
      failSpan(span, error);
      throw error;
    } finally {
      span.end();
    }
  });
}

/** The trace as a log line has it; nothing outside one. */
export function traceFields(): { traceId?: string; spanId?: string } {
  const active = isOn ? trace.getActiveSpan()?.spanContext() : undefined;
  return active === undefined ? {} : { traceId: active.traceId, spanId: active.spanId };
}

/** The active span as W3C's `traceparent`, to be stored with work that is done later; undefined outside a trace. */
export function currentTraceparent(): string | undefined {
  if (!isOn) return undefined;
  const carrier: { traceparent?: string } = {};
  propagation.inject(context.active(), carrier);
  return carrier.traceparent;
}

/** The context that a `traceparent` names; one that names none, for whatever is not one. */
export function contextOf(traceparent: unknown, tracestate?: unknown): Context {
  return typeof traceparent === 'string'
    ? propagation.extract(ROOT_CONTEXT, { traceparent, tracestate })
    : ROOT_CONTEXT;
}
