import type { ErrorCode } from '@ragmesh/errors';
import { takesKeys, takesTokens, type AuthConfig } from '../auth/auth.config.js';
import { accessTo, type Access } from '../auth/route-roles.js';
import type { DescribedRoute } from './described-routes.js';

/** Every way to show a credential. */
export const securitySchemes = {
  apiKey: {
    type: 'apiKey',
    in: 'header',
    name: 'X-API-Key',
    description: 'An API key of this server, rgm_<id>_<secret>',
  },
  bearerKey: { type: 'http', scheme: 'bearer', description: 'An API key of this server, rgm_<id>_<secret>' },
  bearerToken: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'A token of the identity provider this server trusts',
  },
} as const;
export type SecurityScheme = keyof typeof securitySchemes;

/** The ways this server takes; none while authentication is off. */
export const schemesOf = (config: Pick<AuthConfig, 'AUTH_MODE'>): SecurityScheme[] => [
  ...(takesKeys(config) ? (['apiKey', 'bearerKey'] as const) : []),
  ...(takesTokens(config) ? (['bearerToken'] as const) : []),
];

const accessOf = ({ method, path }: DescribedRoute): Access | undefined =>
  accessTo(method, path.replaceAll(/\{(\w+)\}/g, ':$1'));

/** What an operation asks for. OpenAPI 3.1 lets roles stand beside any scheme. */
export function securityOf(route: DescribedRoute, schemes: readonly SecurityScheme[]): Record<string, unknown> {
  const access = accessOf(route);
  if (schemes.length === 0 || access === undefined || access === 'open') return {};
  return { security: schemes.map((scheme) => ({ [scheme]: [access] })) };
}

const refusals: readonly ErrorCode[] = ['AUTH.REQUIRED', 'AUTH.INVALID', 'AUTH.FORBIDDEN', 'AUTH.TOO_MANY_ATTEMPTS'];

const quotas: readonly ErrorCode[] = ['QUOTA.REQUESTS_EXCEEDED', 'QUOTA.TOKENS_EXCEEDED'];

/** How an operation refuses those who may not call it, or have called it enough. */
export const securityProblems = (route: DescribedRoute, schemes: readonly SecurityScheme[]): readonly ErrorCode[] =>
  accessOf(route) === 'open' ? [] : [...(schemes.length === 0 ? [] : refusals), ...quotas];
