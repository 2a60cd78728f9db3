import type { OpenAPIV3_1 } from 'openapi-types';

/** An operation with what the gate and the kernel add to it. */
export type Operation = OpenAPIV3_1.OperationObject & {
  'x-permission'?: string;
  'x-creates'?: boolean;
  'x-stream'?: boolean;
};

export const METHODS = ['get', 'post', 'patch', 'delete'] as const;
export type Method = (typeof METHODS)[number];
