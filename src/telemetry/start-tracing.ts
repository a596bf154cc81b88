import { context, propagation, trace } from '@opentelemetry/api';
import { switchTracing } from './tracing.ts';

export interface TracingOptions {
  /** Of the traces that begin here, the share that is kept, from 0 to 1. A caller's own choice is followed. */
  sampleRatio: number;
}

export interface Tracing {
  /** Sends what was collected, for at most three seconds, and collects no more. */
  stop(): Promise<void>;
}

const LAST_SEND_MS = 3_000;

/**
 * Collects spans and sends them by OTLP. Where to, with which headers and certificates, and the name of the service
 * are in OpenTelemetry's own environment variables, which its exporter reads. Its packages are loaded here, so that a
 * process without a collector has none of them.
 */
export async function startTracing({ sampleRatio }: TracingOptions): Promise<Tracing> {
  const [sdk, { OTLPTraceExporter }, resources, { AsyncLocalStorageContextManager }, { W3CTraceContextPropagator }] =
    await Promise.all([
      import('@opentelemetry/sdk-trace'),
      import('@opentelemetry/exporter-trace-otlp-proto'),
      import('@opentelemetry/resources'),
      import('@opentelemetry/context-async-hooks'),
      import('@opentelemetry/core'),
    ]);
  const provider = new sdk.TracerProvider({
    resource: resources
      .defaultResource()
      .merge(resources.resourceFromAttributes({ 'service.name': 'teams-meetings-subgraph' }))
      .merge(
        resources.detectResources({
          detectors: [
            resources.hostDetector,
            resources.resourceAttributesEnvDetector,
            resources.serviceNameEnvDetector,
          ],
        }),
      ),
    sampler: new sdk.ParentBasedSampler({ root: new sdk.TraceIdRatioBasedSampler(sampleRatio) }),
    spanProcessors: [new sdk.BatchSpanProcessor({ exporter: new OTLPTraceExporter() })],
  });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  trace.setGlobalTracerProvider(provider);
  switchTracing(true);

  return {
    async stop() {
      switchTracing(false);
      const late = Promise.withResolvers<void>();
      const timer = setTimeout(late.resolve, LAST_SEND_MS);
      // A collector that is away must not keep the process.
      await Promise.race([provider.shutdown().catch(() => undefined), late.promise]);
      clearTimeout(timer);
      trace.disable();
      propagation.disable();
      context.disable();
    },
  };
}
