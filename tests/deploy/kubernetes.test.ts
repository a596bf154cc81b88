import { globSync, readFileSync } from 'node:fs';
import type { IDeployment } from 'kubernetes-models/apps/v1';
import type { IHorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2';
import type { IJob } from 'kubernetes-models/batch/v1';
import type { INetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import type { IPodDisruptionBudget } from 'kubernetes-models/policy/v1';
import type { IConfigMap, IContainer, IPodSpec, IProbe, IService, IServiceAccount } from 'kubernetes-models/v1';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { readStages } from '../../scripts/image/dockerfile.ts';
import { loadConfig, SERVE_VARIABLES } from '../../src/config.ts';
import { JOB_TIME_LIMIT_MS } from '../../src/jobs/tasks.ts';
import { faultsOf, KUBERNETES, type Manifest, manifestsOf, ROOT, readManifests } from './manifests.ts';
import { SECRETS_OF_SERVE } from './secrets.ts';

const deployments = manifestsOf<IDeployment>('Deployment');
const [migration] = manifestsOf<IJob>('Job');
const [settings] = manifestsOf<IConfigMap>('ConfigMap');
const guide = readFileSync(`${ROOT}docs/deploying.md`, 'utf8');

interface Pod {
  name: string;
  labels: Record<string, string>;
  spec: IPodSpec;
  container: IContainer;
}

function podOf({ metadata, spec }: IDeployment | IJob): Pod {
  const template = spec?.template;
  const container = template?.spec?.containers[0];
  if (!template?.spec || !container) throw new Error(`${metadata?.name} has no container`);
  return { name: metadata?.name ?? '', labels: template.metadata?.labels ?? {}, spec: template.spec, container };
}

const pods = [...deployments, ...(migration ? [migration] : [])].map(podOf);
const serving = deployments.map(podOf);

/** The keys of a Secret that the guide makes. */
function secretKeys(name: string): string[] {
  const command = new RegExp(`create secret generic ${name} (?:.*\\\\\\n)*.*`).exec(guide)?.[0] ?? '';
  return [...command.matchAll(/--from-literal=(\w+)=/g)].map(([, key = '']) => key);
}

describe('the manifests', () => {
  it.each(
    readManifests().map(({ file, manifest }) => [`${file}: ${manifest.kind} ${manifest.metadata.name}`, manifest]),
  )('%s is what Kubernetes takes', async (_, manifest) => expect(await faultsOf(manifest)).toEqual([]));

  it.each<[string, string, string, string]>([
    ['replicas', 'replicsa', 'Deployment', '/spec/replicsa: unknown field'],
    ['runAsNonRoot', 'runAsNonroot', 'Deployment', '/spec/template/spec/securityContext/runAsNonroot: unknown field'],
    ['"readOnlyRootFilesystem":true', '"readOnlyRootFilesystem":"yes"', 'Deployment', 'readOnlyRootFilesystem: type'],
    ['"containers"', '"container"', 'Job', '/spec/template/spec: required'],
    ['averageUtilization', 'averageUtilisation', 'HorizontalPodAutoscaler', 'averageUtilisation: unknown field'],
    ['"port":53', '"port":"53","prot":1', 'NetworkPolicy', 'prot: unknown field'],
  ])('a mistake would be found: %s', async (right, wrong, kind, fault) => {
    const text = manifestsOf<Manifest>(kind)
      .map((manifest) => JSON.stringify(manifest))
      .find((one) => one.includes(right));
    const faults = await faultsOf(JSON.parse((text ?? '').replace(right, wrong)) as Manifest);
    expect(faults).toEqual(expect.arrayContaining([expect.stringContaining(fault)]));
  });

  it('are all named by the kustomization, which names nothing else', () => {
    const { resources, images } = parse(readFileSync(`${KUBERNETES}kustomization.yaml`, 'utf8')) as {
      resources: string[];
      images: { name: string }[];
    };
    const files = globSync('*.yaml', { cwd: KUBERNETES }).filter((file) => file !== 'kustomization.yaml');
    expect(resources.toSorted()).toEqual(files.toSorted());
    expect(new Set(pods.map(({ container }) => container.image))).toEqual(new Set(images.map(({ name }) => name)));
  });
});

describe('the pods', () => {
  it.each(pods.map((pod) => [pod.name, pod] as const))(
    '%s can do nothing that it need not',
    (_, { spec, container }) => {
      expect(spec.automountServiceAccountToken).toBe(false);
      expect(spec.securityContext).toMatchObject({
        runAsNonRoot: true,
        runAsUser: 1000,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      expect(container.resources).toMatchObject({
        requests: { cpu: expect.any(String), memory: expect.any(String) },
        limits: { memory: expect.any(String) },
      });
    },
  );

  it('run as the image does, and start programs that are in it', () => {
    const runtime = readStages(readFileSync(`${ROOT}Dockerfile`, 'utf8')).at(-1);
    const programs = pods.map(({ container }) => container.args?.[0]);
    expect(programs.toSorted()).toEqual(['dist/cli/migrate.js', 'dist/main.js', 'dist/main.js']);
    for (const program of programs)
      expect(globSync(`src/${program?.replace('dist/', '').replace('.js', '.ts')}`, { cwd: ROOT })).toHaveLength(1);
    expect(pods.map(({ container }) => container.command)).toEqual(pods.map(() => undefined));
    expect(
      new Set(pods.map(({ spec }) => `${spec.securityContext?.runAsUser}:${spec.securityContext?.runAsGroup}`)),
    ).toEqual(new Set([runtime?.user]));
    expect(serving.map(({ container }) => container.args?.[1])).toEqual(['--role=server', '--role=worker']);
  });

  it('are looked at where a route answers', () => {
    const routes = readFileSync(`${ROOT}src/server/routes/health.ts`, 'utf8');
    for (const { container, name } of serving) {
      const probes = [container.startupProbe, container.livenessProbe, container.readinessProbe] as IProbe[];
      const paths = probes.map((probe) => probe.httpGet?.path);
      expect([name, ...paths]).toEqual([name, '/health/live', '/health/live', '/health/ready']);
      for (const path of paths) expect(routes).toContain(`app.get('${path}'`);
      expect(container.ports).toEqual([{ name: 'http', containerPort: 4001 }]);
      expect(probes.map((probe) => probe.httpGet?.port)).toEqual(['http', 'http', 'http']);
    }
  });

  it('have the time to end what they do', () => {
    const [server, worker] = serving;
    const pause = (server?.container.lifecycle?.preStop as { sleep?: { seconds?: number } } | undefined)?.sleep
      ?.seconds;
    expect(server?.spec.terminationGracePeriodSeconds).toBeGreaterThanOrEqual((pause ?? 0) + 20);
    expect(worker?.spec.terminationGracePeriodSeconds).toBeGreaterThan(JOB_TIME_LIMIT_MS / 1000);
  });
});

describe('what belongs together', () => {
  it('services, budgets, policies and the autoscaler name pods that there are', () => {
    const matching = (selector: Record<string, string> | undefined) =>
      pods
        .filter(({ labels }) => Object.entries(selector ?? { none: '' }).every(([key, value]) => labels[key] === value))
        .map(({ name }) => name);
    const [service] = manifestsOf<IService>('Service');
    expect(matching(service?.spec?.selector)).toEqual(['teams-meetings-server']);
    expect(service?.spec?.ports?.map(({ targetPort }) => targetPort)).toEqual(['http']);
    const budgets = manifestsOf<IPodDisruptionBudget>('PodDisruptionBudget');
    expect(budgets.map(({ spec }) => matching(spec?.selector?.matchLabels))).toEqual([
      ['teams-meetings-server'],
      ['teams-meetings-worker'],
    ]);
    const policies = manifestsOf<INetworkPolicy>('NetworkPolicy');
    expect(policies.map(({ spec }) => spec?.policyTypes)).toEqual([['Ingress'], ['Egress']]);
    for (const { spec } of policies)
      expect(matching(spec?.podSelector?.matchLabels)).toEqual(pods.map(({ name }) => name));
    const [scaler] = manifestsOf<IHorizontalPodAutoscaler>('HorizontalPodAutoscaler');
    expect(matching({ 'app.kubernetes.io/name': scaler?.spec?.scaleTargetRef.name ?? '' })).toEqual([
      'teams-meetings-server',
    ]);
    expect(deployments.map(({ spec }) => spec?.replicas)).toEqual([undefined, 2]);
    expect(scaler?.spec?.minReplicas).toBe(2);
    const [account] = manifestsOf<IServiceAccount>('ServiceAccount');
    expect(account?.automountServiceAccountToken).toBe(false);
    expect(serving.map(({ spec }) => spec.serviceAccountName)).toEqual([
      account?.metadata?.name,
      account?.metadata?.name,
    ]);
    for (const { metadata, spec } of deployments) {
      expect(spec?.selector.matchLabels).toEqual({ 'app.kubernetes.io/name': metadata?.name });
      expect(matching(spec?.selector.matchLabels)).toEqual([metadata?.name]);
    }
  });

  it('settings and the secrets of the guide are variables that there are, and all that a server needs', () => {
    const { data = {}, metadata } = settings ?? {};
    const keys = secretKeys('teams-meetings');
    const foreign = [...Object.keys(data), ...keys].filter((name) => !SERVE_VARIABLES.includes(name));
    expect(foreign).toEqual([]);
    for (const { container } of serving)
      expect(container.envFrom).toEqual([
        { configMapRef: { name: metadata?.name } },
        { secretRef: { name: 'teams-meetings' } },
      ]);
    const secrets = Object.fromEntries(keys.map((key) => [key, SECRETS_OF_SERVE[key]]));
    expect(loadConfig({ ...data, ...secrets }).isProduction).toBe(true);
    for (const name of Object.keys(data)) expect(SECRETS_OF_SERVE).not.toHaveProperty(name);
  });

  it('the migration has the secrets of the guide, and the rights of the tables’ owner are with it alone', () => {
    const { container } = podOf(migration ?? { apiVersion: 'batch/v1', kind: 'Job' });
    const refs = container.env?.map(({ name, valueFrom }) => [
      name,
      valueFrom?.secretKeyRef?.name,
      valueFrom?.secretKeyRef?.key,
    ]);
    expect(refs).toEqual([
      ['MIGRATION_DATABASE_URL', 'teams-meetings-migration', 'MIGRATION_DATABASE_URL'],
      ['DATABASE_URL', 'teams-meetings', 'DATABASE_URL'],
    ]);
    expect(secretKeys('teams-meetings-migration')).toEqual(['MIGRATION_DATABASE_URL']);
    expect(secretKeys('teams-meetings')).toContain('DATABASE_URL');
    expect(secretKeys('teams-meetings')).not.toContain('MIGRATION_DATABASE_URL');
  });
});
