import { Injectable, RequestMethod } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/internal';
import { descriptionOf, type RouteDescription } from './describe.js';

/** A route as the API document names it. */
export interface DescribedRoute {
  readonly method: string;
  /** With parameters in braces: `/v1/documents/{id}`. */
  readonly path: string;
  /** Unique: controller and handler. */
  readonly id: string;
  readonly description: RouteDescription;
}

/** Reads the routes off the controllers, where their paths and descriptions stand. */
@Injectable()
export class DescribedRoutes {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
  ) {}

  list(): DescribedRoute[] {
    return this.discovery
      .getControllers()
      .flatMap(({ metatype }) => (typeof metatype === 'function' ? this.#routesOf(metatype) : []));
  }

  #routesOf(controller: { readonly name: string; readonly prototype: object }): DescribedRoute[] {
    const prefix = String(Reflect.getMetadata(PATH_METADATA, controller) ?? '');
    const prototype = controller.prototype as Record<string, object>;
    return this.scanner.getAllMethodNames(prototype).flatMap((name) => {
      const handler = prototype[name]!;
      const description = descriptionOf(handler);
      if (!description) return [];
      const method = RequestMethod[Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod];
      const path = joined(prefix, String(Reflect.getMetadata(PATH_METADATA, handler)));
      return [{ method, path, id: `${controller.name.replace('Controller', '')}.${name}`, description }];
    });
  }
}

function joined(prefix: string, path: string): string {
  const parts = `${prefix}/${path}`.split('/').filter((part) => part !== '');
  return `/${parts.map((part) => part.replace(/^:(\w+)$/, '{$1}')).join('/')}`;
}
