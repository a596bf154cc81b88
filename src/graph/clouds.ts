import type { MicrosoftCloudName } from './types.ts';

/** The hosts of one cloud. */
export interface CloudHosts {
  /** Where tokens are asked for and admin consent is given. */
  login: string;
  graph: string;
  /** On which join links of meetings lie. */
  teams: string;
  /** Where app registrations and their permissions are looked after. */
  entraPortal: string;
}

/** Where one cloud is reached: addresses without a trailing slash or version, and the scope of Graph tokens. */
export interface CloudEndpoints {
  cloud: MicrosoftCloudName;
  /** Authority host that msal knows; always https. */
  authorityBaseUrl: string;
  /** Where token requests are really sent: the authority, or its override. */
  entraBaseUrl: string;
  graphBaseUrl: string;
  scope: string;
}

/**
 * Sources, and what of this is not documented: docs/clouds.md. Login hosts by Microsoft Learn's "National clouds", Graph
 * hosts by "Microsoft Graph national cloud deployments".
 */
const HOSTS: Record<MicrosoftCloudName, CloudHosts> = {
  GLOBAL: {
    login: 'login.microsoftonline.com',
    graph: 'graph.microsoft.com',
    teams: 'teams.microsoft.com',
    entraPortal: 'entra.microsoft.com',
  },
  US_GOV_L4: {
    login: 'login.microsoftonline.us',
    graph: 'graph.microsoft.us',
    teams: 'gov.teams.microsoft.us',
    entraPortal: 'portal.azure.us',
  },
  US_GOV_L5: {
    login: 'login.microsoftonline.us',
    graph: 'dod-graph.microsoft.us',
    teams: 'dod.teams.microsoft.us',
    entraPortal: 'portal.azure.us',
  },
  CHINA: {
    login: 'login.partner.microsoftonline.cn',
    graph: 'microsoftgraph.chinacloudapi.cn',
    teams: 'teams.microsoftonline.cn',
    entraPortal: 'portal.azure.cn',
  },
};

/** Microsoft's own hosts of a cloud, whatever an installation puts in their place. */
export function cloudHosts(cloud: MicrosoftCloudName): CloudHosts {
  return HOSTS[cloud];
}

/** Whether the host is one of another cloud and none of this one; the two US clouds sign in at the same host. */
export function isHostOfOtherCloud(hostname: string, cloud: MicrosoftCloudName): boolean {
  const host = hostname.toLowerCase().replace(/\.$/, '');
  if (Object.values(HOSTS[cloud]).includes(host)) return false;
  return Object.values(HOSTS).some((hosts) => Object.values(hosts).includes(host));
}

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
    cloud,
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
