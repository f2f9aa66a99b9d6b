/** Tells Nest which handlers are ours when an application has several transports. */
export const RAGMESH_TRANSPORT = Symbol('ragmesh');
