/** The API's nouns under the dashboard's names. The shapes come from the server's OpenAPI description (`npm run types`). */
import type { components } from "./schema";

type Schemas = components["schemas"];

export type Camera = Schemas["Camera"];
export type CameraState = Schemas["CameraState"];
export type Cause = Schemas["Cause"];
export type EventKind = Schemas["EventKind"];
export type EventPage = Schemas["Events"];
/** `Event` in the API; here that is the browser's own word. */
export type HubEvent = Schemas["Event"];
export type Crossing = Schemas["Crossing"];
/** A side of a line. */
export type Hand = Crossing["to"];
export type Line = Schemas["Line"];
/** Where a mover came from or went to. */
export type Side = NonNullable<HubEvent["entry"]>;
/** Why a stream cannot be watched live. */
export type NotLive = Schemas["NotLive"];
export type ProblemCode = NonNullable<Schemas["ProblemDetails"]["code"]>;
export type RecordingCause = Schemas["RecordingCause"];
export type GateReason = Schemas["GateReason"];
export type Session = Schemas["Session"];
export type Site = Schemas["Site"];
/** What a link to a hamlet has room for of what is watched. */
export type LiveSize = Schemas["LiveSize"];
export type ShedCause = Schemas["ShedCause"];
export type ShedKind = Schemas["ShedKind"];
/** How the way from a hamlet to the server does. */
export type Uplink = Schemas["Uplink"];
/** What was done to a camera. */
export type TamperCause = Schemas["TamperCause"];
export type StreamName = Schemas["Stream"]["stream"];
/** What somebody who looked at an event says that it was. */
export type Verdict = Schemas["Verdict"];
export type Zone = Schemas["Zone"];
