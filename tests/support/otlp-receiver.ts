import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import protobuf from 'protobufjs';

/** The part of OTLP's protocol that traces are read by; numbers as in opentelemetry-proto 1.x, `trace/v1/trace.proto`. */
const PROTOCOL = `
  syntax = "proto3";
  message ExportTraceServiceRequest { repeated ResourceSpans resource_spans = 1; }
  message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
  message Resource { repeated KeyValue attributes = 1; }
  message ScopeSpans { repeated Span spans = 2; }
  message Span {
    bytes trace_id = 1; bytes span_id = 2; bytes parent_span_id = 4; string name = 5; int32 kind = 6;
    fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8;
    repeated KeyValue attributes = 9; repeated Event events = 11; repeated Link links = 13; Status status = 15;
  }
  message Event { string name = 2; repeated KeyValue attributes = 3; }
  message Link { bytes trace_id = 1; bytes span_id = 2; }
  message Status { string message = 2; int32 code = 3; }
  message KeyValue { string key = 1; AnyValue value = 2; }
  message AnyValue { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; } }
`;
const requestType = protobuf.parse(PROTOCOL).root.lookupType('ExportTraceServiceRequest');

type Value = string | number | boolean;
interface Wire {
  resourceSpans?: {
    resource?: { attributes?: WireAttribute[] };
    scopeSpans?: { spans?: WireSpan[] }[];
  }[];
}
interface WireAttribute {
  key: string;
  value?: Record<string, Value>;
}
interface WireSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  startTimeUnixNano: string;
  attributes?: WireAttribute[];
  events?: { name: string; attributes?: WireAttribute[] }[];
  links?: { traceId: string }[];
  status?: { code?: number; message?: string };
}

export interface ReceivedSpan {
  traceId: string;
  spanId: string;
  /** Of a trace's first span: undefined. */
  parentSpanId: string | undefined;
  name: string;
  startedAt: bigint;
  attributes: Record<string, Value>;
  /** The traces that it is linked to. */
  linkedTo: string[];
  hasFailed: boolean;
  /** The service that sent it. */
  service: Value | undefined;
  /** Everything of it, to be searched for what must not be in it. */
  raw: unknown;
}

/** What a collector of OpenTelemetry is to those who send: takes traces by OTLP over HTTP, in protobuf. */
export interface OtlpReceiver {
  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  url: string;
  /** In the order of their beginning. */
  spans(): ReceivedSpan[];
  close(): Promise<void>;
}

function attributesOf(list: WireAttribute[] = []): Record<string, Value> {
  return Object.fromEntries(
    list.flatMap(({ key, value }) => Object.values(value ?? {}).map((plain): [string, Value] => [key, plain])),
  );
}

const hex = (base64: string) => Buffer.from(base64, 'base64').toString('hex');

function spansOf(body: Buffer): ReceivedSpan[] {
  const decoded = requestType.toObject(requestType.decode(body), { bytes: String, longs: String }) as Wire;
  return (decoded.resourceSpans ?? []).flatMap(({ resource, scopeSpans = [] }) => {
    const service = attributesOf(resource?.attributes)['service.name'];
    return scopeSpans.flatMap(({ spans = [] }) =>
      spans.map((span) => ({
        traceId: hex(span.traceId),
        spanId: hex(span.spanId),
        parentSpanId: span.parentSpanId ? hex(span.parentSpanId) : undefined,
        name: span.name,
        startedAt: BigInt(span.startTimeUnixNano),
        attributes: attributesOf(span.attributes),
        linkedTo: (span.links ?? []).map(({ traceId }) => hex(traceId)),
        hasFailed: span.status?.code === 2,
        service,
        raw: span,
      })),
    );
  });
}

/** Starts to listen on a free port. */
export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const received: ReceivedSpan[] = [];
  const server = createServer(async (request, response) => {
    const isTraces = request.method === 'POST' && request.url === '/v1/traces';
    const isProtobuf = request.headers['content-type'] === 'application/x-protobuf';
    const body = await buffer(request);
    if (isTraces && isProtobuf) received.push(...spansOf(body));
    response.writeHead(isTraces && isProtobuf ? 200 : 404, { 'content-type': 'application/x-protobuf' }).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans: () => received.toSorted((a, b) => (a.startedAt < b.startedAt ? -1 : 1)),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const isStatement = ({ attributes }: ReceivedSpan) => attributes['db.system.name'] !== undefined;

function line({ name, attributes }: ReceivedSpan): string {
  const said = ['http.response.status_code', 'teams_meetings.outcome', 'error.type']
    .map((key) => attributes[key])
    .filter((value) => value !== undefined);
  return [name, ...new Set(said)].join('  ');
}

/** A trace as a tree of lines, one a span; the statements below a span are one line, as their number is no contract. */
export function traceText(spans: ReceivedSpan[], parentSpanId: string | undefined, indent = ''): string[] {
  const children = spans.filter((span) => span.parentSpanId === parentSpanId);
  const statements = children.some(isStatement) ? [`${indent}SQL …`] : [];
  return [
    ...statements,
    ...children
      .filter((span) => !isStatement(span))
      .flatMap((span) => [`${indent}${line(span)}`, ...traceText(spans, span.spanId, `${indent}  `)]),
  ];
}
