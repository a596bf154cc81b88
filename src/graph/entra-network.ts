import type { INetworkModule, NetworkRequestOptions, NetworkResponse } from '@azure/msal-node';
import { inSpan, SpanKind } from '../telemetry/tracing.ts';
import { type EntraAnswer, entraFailure } from './classify-entra.ts';
import type { GraphRequestError } from './errors.ts';
import type { GraphLogger } from './log.ts';
import { networkFailure, timeoutFailure } from './network-failure.ts';
import type { GraphObserver } from './observer.ts';
import type { RemoteClock } from './remote-clock.ts';

export interface EntraNetworkOptions {
  logger: GraphLogger;
  clock: () => Date;
  timeoutMs: number;
  /** Learns Microsoft's time from every answer. */
  remoteClock?: RemoteClock;
  observer: GraphObserver;
}

/**
 * The way of msal to Entra: global fetch with a time-out. Remembers why the last request failed, because msal's own
 * errors lose the status and the time to wait.
 */
export class EntraNetwork implements INetworkModule {
  readonly #options: EntraNetworkOptions;
  lastFailure: GraphRequestError | null = null;

  constructor(options: EntraNetworkOptions) {
    this.#options = options;
  }

  sendGetRequestAsync<T>(url: string, options?: NetworkRequestOptions): Promise<NetworkResponse<T>> {
    return this.#send(url, 'GET', options);
  }

  sendPostRequestAsync<T>(url: string, options?: NetworkRequestOptions): Promise<NetworkResponse<T>> {
    return this.#send(url, 'POST', options);
  }

  #send<T>(url: string, method: string, options?: NetworkRequestOptions): Promise<NetworkResponse<T>> {
    // Without its address, which names the directory.
    const attributes = { 'http.request.method': method, 'microsoft.graph.operation': 'entra.token' };
    return inSpan(`${method} Microsoft Entra`, { kind: SpanKind.CLIENT, attributes }, async (span) => {
      const answer = await this.#ask<T>(url, method, options);
      span?.setAttribute('http.response.status_code', answer.status);
      return answer;
    });
  }

  async #ask<T>(url: string, method: string, options: NetworkRequestOptions = {}): Promise<NetworkResponse<T>> {
    const startedAt = performance.now();
    const answer = await this.#exchange(url, {
      method,
      headers: options.headers,
      body: options.body,
      // A token request that is redirected would carry the credential to somebody else.
      redirect: 'error',
      signal: AbortSignal.timeout(this.#options.timeoutMs),
    });
    this.#options.logger.debug(
      {
        operation: 'entra.token',
        method,
        status: answer.status,
        durationMs: Math.round(performance.now() - startedAt),
        requestId: answer.headers.get('x-ms-request-id'),
        clientRequestId: options.correlationId,
      },
      'Microsoft Entra call',
    );
    const isToken = answer.status === 200 && typeof answer.body === 'object' && answer.body !== null;
    this.lastFailure = isToken ? null : entraFailure(answer, this.#options.clock());
    this.#options.observer.tokenRequested(this.lastFailure?.kind ?? 'SUCCESS');
    // msal looks into the body of every answer; a gateway's HTML must not make it stumble.
    const body = typeof answer.body === 'object' && answer.body !== null ? answer.body : {};
    return { status: answer.status, headers: Object.fromEntries(answer.headers), body: body as T };
  }

  async #exchange(url: string, init: RequestInit): Promise<EntraAnswer> {
    const { clock, remoteClock } = this.#options;
    try {
      const sentAt = clock();
      const response = await fetch(url, init);
      remoteClock?.note(response.headers, sentAt, clock());
      return { status: response.status, headers: response.headers, body: parsed(await response.text()) };
    } catch (error) {
      this.lastFailure = init.signal?.aborted
        ? timeoutFailure('Microsoft Entra', this.#options.timeoutMs)
        : networkFailure('Microsoft Entra', error);
      this.#options.observer.tokenRequested(this.lastFailure.kind);
      throw this.lastFailure;
    }
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
