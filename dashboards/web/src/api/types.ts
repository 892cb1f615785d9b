/** The API's nouns under the dashboard's names. The shapes come from the server's OpenAPI description (`npm run types`). */
import type { components } from "./schema";

type Schemas = components["schemas"];

export type Alert = Schemas["AlertShape"];
export type AlertAct = Schemas["Act"];
export type AlertKind = Schemas["AlertKind"];
export type AlertPage = Schemas["Alerts"];
export type AlertState = Schemas["AlertState"];
export type AlertWhole = Schemas["AlertWhole"];
export type Camera = Schemas["Camera"];
export type CameraState = Schemas["CameraState"];
export type Cause = Schemas["Cause"];
/** A way to tell people and machines. */
export type Channel = Schemas["ChannelShape"];
/** A browser that is told of alerts. */
export type Device = Schemas["SubscriptionShape"];
export type NewSubscription = Schemas["NewSubscription"];
export type Delivery = Schemas["DeliveryShape"];
export type DeliveryState = Schemas["DeliveryState"];
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
/** Why recordings cannot be looked at. */
export type NotRecorded = Schemas["NotRecorded"];
/** Which times of a camera are recorded. */
export type Recordings = Schemas["Recordings"];
export type MadeChannel = Schemas["MadeChannel"];
export type NewChannel = Schemas["NewChannel"];
export type Person = Schemas["PersonShape"];
export type ProblemCode = NonNullable<Schemas["ProblemDetails"]["code"]>;
export type RecordingCause = Schemas["RecordingCause"];
export type GateReason = Schemas["GateReason"];
export type Rule = Schemas["RuleConfig"];
export type StoredRule = Schemas["RuleShape"];
export type LanguageTexts = Schemas["LanguageTexts"];
/** The templates of messages in a language. */
export type Texts = Schemas["TextsShape"];
export type TextsPreview = Schemas["Preview"];
/** What a rule would have done. */
export type Trial = Schemas["TrialShape"];
export type Session = Schemas["Session"];
export type Site = Schemas["Site"];
/** What a hamlet's machine may be too old for. */
export type Skill = Schemas["Skill"];
/** A one-time code, shown once. */
export type NewCode = Schemas["NewCode"];

/** What a link to a hamlet has room for of what is watched. */
export type LiveSize = Schemas["LiveSize"];
export type ShedCause = Schemas["ShedCause"];
export type ShedKind = Schemas["ShedKind"];
/** How the way from a hamlet to the server does. */
export type Uplink = Schemas["Uplink"];
/** What was done to a camera. */
export type TamperCause = Schemas["TamperCause"];
/** What is wanted here of one setting of a camera, and what became of it. */
export type Wanted = Schemas["Wanted"];
export type WishState = Schemas["WishState"];
export type WhyNot = Schemas["WhyNot"];
export type SettingsChange = Schemas["SettingsChange"];
/** Settings that are on or off. */
export type Switched = "detect" | "record";
export type StreamName = Schemas["Stream"]["stream"];
/** What somebody who looked at an event says that it was. */
export type Verdict = Schemas["Verdict"];
export type Zone = Schemas["Zone"];
