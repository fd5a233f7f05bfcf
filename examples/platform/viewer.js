/** A user in a room: node viewer.js ROOM_ID JWT prints what is seen there, until the room is closed. Node 22 or newer. */
import { createUserClient } from "@ovation/client";

const [roomId, jwt] = process.argv.slice(2);
const room = createUserClient({ baseUrl: process.env.OVATION_URL, token: () => jwt }).enterRoom(Number(roomId));
room.on("state", ({ state, code }) => console.log("connection:", state, code ?? ""));
room.on("gifts", ({ gifts }) => console.log("gifts:", JSON.stringify(gifts)));
