/** The auditor offers nothing to other services: it reads their books. */
export const auditorActions = {};
