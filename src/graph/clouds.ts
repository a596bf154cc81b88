import type { MicrosoftCloudName } from './types.ts';

/** Where one cloud is reached: addresses without a trailing slash or version, and the scope of Graph tokens. */
export interface CloudEndpoints {
  /** Authority host that msal knows; always https. */
  authorityBaseUrl: string;
  /** Where token requests are really sent: the authority, or its override. */
  entraBaseUrl: string;
  graphBaseUrl: string;
  scope: string;
}

/** Microsoft Learn: "National clouds" of the identity platform, and "Microsoft Graph national cloud deployments". */
const HOSTS: Record<MicrosoftCloudName, { login: string; graph: string }> = {
  GLOBAL: { login: 'login.microsoftonline.com', graph: 'graph.microsoft.com' },
  US_GOV_L4: { login: 'login.microsoftonline.us', graph: 'graph.microsoft.us' },
  US_GOV_L5: { login: 'login.microsoftonline.us', graph: 'dod-graph.microsoft.us' },
  CHINA: { login: 'login.partner.microsoftonline.cn', graph: 'microsoftgraph.chinacloudapi.cn' },
};

/**
 * The addresses of a cloud. Overrides replace Microsoft's hosts in every cloud; the scope stays Microsoft's own.
 * @throws Error when an override is no https address and not a plain http address of this computer either.
 */
export function cloudEndpoints(
  cloud: MicrosoftCloudName,
  overrides: { graphBaseUrl?: string; entraBaseUrl?: string } = {},
): CloudEndpoints {
  const { login, graph } = HOSTS[cloud];
  return {
    authorityBaseUrl: `https://${login}`,
    entraBaseUrl: checkedBaseUrl('entraBaseUrl', overrides.entraBaseUrl) ?? `https://${login}`,
    graphBaseUrl: checkedBaseUrl('graphBaseUrl', overrides.graphBaseUrl) ?? `https://${graph}`,
    scope: `https://${graph}/.default`,
  };
}

/** Whether the address is this computer itself: `localhost`, 127.0.0.0/8 or `[::1]`. */
export function isLoopback(url: URL): boolean {
  return url.hostname === 'localhost' || url.hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(url.hostname);
}

function checkedBaseUrl(name: string, value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  if (!URL.canParse(value)) throw new Error(`${name} is not an absolute URL`);
  const url = new URL(value);
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new Error(`${name} must have neither credentials nor a query nor a fragment`);
  }
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url))) {
    throw new Error(`${name} must begin with https:// (plain http is accepted for loopback hosts only)`);
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '').replace(/\/v1\.0$/, '');
}
