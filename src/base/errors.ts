/**
 * Every error that Weir raises on purpose, in one table. A code is stable: operators match on it in logs,
 * clients of the API in answers, tests in assertions. `docs/errors.md` lists the same table, and a test
 * holds the two together.
 */
export const errorTable = {
  // configuration
  CONFIG_UNREADABLE: {
    summary: 'The configuration file cannot be read.',
    remedy: 'Check the path given with -c and the permissions of the file.',
  },
  CONFIG_SYNTAX: {
    summary: 'The configuration file does not parse.',
    remedy: 'Look at the named line and column: a missing ";" or "}" is usually just before it.',
  },
  CONFIG_UNKNOWN_DIRECTIVE: {
    summary: 'The configuration names a directive that does not exist there.',
    remedy: 'Correct the spelling (a suggestion is given) or move the directive into its section.',
  },
  CONFIG_BAD_VALUE: {
    summary:
      'A directive has an argument of the wrong type, out of its range, or too many or too few of them.',
    remedy: 'The message names the directive and what it accepts; docs/configuration.md has the list.',
  },
  CONFIG_DUPLICATE: {
    summary: 'A directive, or a section of the same name, is given twice.',
    remedy: 'Remove one of the two; the message names both places.',
  },
  CONFIG_INCLUDE: {
    summary: 'An included file includes itself, or files are included too deeply.',
    remedy: 'Break the loop of include directives.',
  },
  TLS_FILES: {
    summary: 'A certificate, its private key or `tls_ca` cannot be read, or the two do not belong together.',
    remedy: 'The message names the file: check its path and permissions, and that the two are a pair.',
  },
  // AMF
  AMF_TRUNCATED: {
    summary: 'An AMF value ends before its announced length.',
    remedy: 'The peer sent a broken message; nothing to do here.',
  },
  AMF_MARKER: {
    summary: 'An AMF value has a type marker that does not exist.',
    remedy: 'The peer sent a broken message; nothing to do here.',
  },
  AMF_LIMIT: {
    summary: 'An AMF value is nested too deeply, has too many elements or too long a string.',
    remedy: 'The peer is broken or hostile; nothing to do here.',
  },
  AMF_REFERENCE: {
    summary: 'An AMF value refers to an object, string or trait that was not sent.',
    remedy: 'The peer sent a broken message; nothing to do here.',
  },
  AMF_ENCODE: {
    summary: 'A value cannot be written in the AMF format asked for.',
    remedy: 'This is a bug in what sends the value: please report it.',
  },
  // RTMP, the wire
  RTMP_HANDSHAKE_VERSION: {
    summary: 'The peer does not speak RTMP version 3 in the clear.',
    remedy: 'Something other than an RTMP client connected to the RTMP port, or a client with RTMPE.',
  },
  RTMP_HANDSHAKE_DIGEST: {
    summary: "The peer's handshake answer carries a digest that does not verify.",
    remedy: 'A proxy changes the bytes between client and server, or the peer is broken.',
  },
  RTMP_CHUNK_HEADER: {
    summary: 'A chunk refers to an earlier message header that was never sent on its chunk stream.',
    remedy: 'The peer lost its place in its own stream; it has to connect again.',
  },
  RTMP_CHUNK_SIZE: {
    summary: 'The peer announced a chunk size of 0 or above 2147483647.',
    remedy: 'The peer is broken; legal sizes are 1 to 16777215.',
  },
  RTMP_CHUNK_STREAMS: {
    summary: 'The peer uses more chunk streams than one connection may.',
    remedy: 'The peer is broken or hostile; real clients use fewer than ten.',
  },
  RTMP_MESSAGE_SIZE: {
    summary: 'The peer announced a message longer than max_message_size.',
    remedy: 'Raise max_message_size if an encoder really sends frames this large.',
  },
  RTMP_PARTIAL_SIZE: {
    summary: 'The unfinished messages of one connection together are larger than allowed.',
    remedy: 'The peer is broken or hostile; real clients finish one message before the next.',
  },
  RTMP_CONTROL: {
    summary: 'A protocol control message is too short or has a value outside its range.',
    remedy: 'The peer sent a broken message; nothing to do here.',
  },
  RTMP_COMMAND: {
    summary: 'A command message is malformed or lacks an argument it needs.',
    remedy: 'The peer sent a broken command; nothing to do here.',
  },
  RTMP_STATE: {
    summary: 'A command came at a point of the session where it makes no sense.',
    remedy: 'The client must connect before it creates streams, and publish or play only once per stream.',
  },
  RTMP_NAME: {
    summary: 'An application, stream or virtual host name is empty, too long or has forbidden characters.',
    remedy: 'Names are 1 to 255 bytes of UTF-8 without "..", backslash, NUL and control characters.',
  },
  RTMP_FLOOD: {
    summary: 'The peer asks for answers faster than it reads them.',
    remedy: 'The peer is broken or hostile; nothing to do here.',
  },
  RTMP_TIMEOUT: {
    summary: 'The peer did not finish the handshake, connect, publish or play, or send data in time.',
    remedy: 'Check the network to the client; the time-outs are settings.',
  },
  RTMP_REJECTED: {
    summary: 'The server at the other end refused to connect, publish or play.',
    remedy: 'The message carries the reason that the other server gave.',
  },
  RTMP_REDIRECT: {
    summary: 'A server sent the client elsewhere, and the client did not go there.',
    remedy:
      'The message says why: no RTMP URL, one that it was at before, too many in a row, or no longer TLS.',
  },
  RTMP_CLOSED: {
    summary: 'The peer closed the connection before the operation was complete.',
    remedy: 'See the log of the other end for its reason.',
  },
  // FLV files
  FLV_FORMAT: {
    summary: 'The file is not FLV, or an FLV tag in it is broken.',
    remedy: 'Check the file with ffprobe.',
  },
  // media
  MEDIA_FORMAT: {
    summary: 'A codec configuration (H.264, AAC) inside the media is malformed.',
    remedy: 'Check what the encoder sends with ffprobe.',
  },
  // recordings
  FILES_LATE: {
    summary: 'A process ended while the disk had not taken the last segments or recordings of its streams.',
    remedy: 'Check the disk; what there is of them becomes whole when the stream is published again.',
  },
  DVR_WRITE: {
    summary:
      'A recording cannot be written. What is on the disk of it becomes a file, and another one is tried.',
    remedy:
      'Check the disk and the permissions of the directory of dvr_path; it is tried again after 1 to 30 s.',
  },
  DVR_BEHIND: {
    summary: 'The disk does not take a recording as fast as it comes; it was ended there.',
    remedy: 'Check the disk that dvr_path is on; another recording is tried after 1 to 30 s.',
  },
  DVR_CODEC: {
    summary: 'A track of the stream has a codec that MP4 recordings cannot carry, or a broken configuration.',
    remedy:
      'Record as FLV, or let the encoder send H.264 or HEVC, and AAC or MP3; the track is left out meanwhile.',
  },
  DVR_RECOVER: {
    summary: 'What a killed process left of a recording cannot be finished.',
    remedy:
      'Check the permissions of the directory; the file stays, and it is tried again at the next start.',
  },
  // HLS
  PATH_TEMPLATE: {
    summary: 'A file name made from a template would leave its directory, or is none.',
    remedy: 'Correct the template that the message names: no ".." and no slash in front.',
  },
  HLS_WRITE: {
    summary: 'A segment, a playlist or a key of HLS cannot be written.',
    remedy: 'Check the disk and the permissions of hls_path; it is tried again with the next segment.',
  },
  HLS_BEHIND: {
    summary: 'The disk does not take the segments of HLS as fast as they come; one was given up.',
    remedy: 'Check the disk that hls_path is on; it is tried again with the next segment.',
  },
  HLS_CODEC: {
    summary: 'A track of the stream has a codec that HLS segments cannot carry, or a broken configuration.',
    remedy: 'Let the encoder send H.264 or HEVC, and AAC or MP3; the track is left out meanwhile.',
  },
  HLS_NUMBERS: {
    summary: 'Segments of a stream with absolute timestamps (atc) are not numbered as on other servers.',
    remedy:
      'Let key frames come more often than hls_fragment; where numbers go on from before, begin anew in an empty hls_path.',
  },
  HLS_UPSTREAM: {
    summary: 'A server of hls_origin did not answer in time, or not with what was asked for.',
    remedy: 'The message says which server and why; the others of hls_origin are asked meanwhile.',
  },
  // programs of others
  PROGRAM_MISSING: {
    summary: 'A program that shall run for a stream does not exist, or cannot be executed.',
    remedy: 'Install it, or correct its path; names without a slash are looked for in PATH.',
  },
  PROGRAM_EXIT: {
    summary: 'A program that runs for a stream ended by an error; it is started again.',
    remedy: 'The message has the last line that it wrote; its log below ff_log_dir has all of them.',
  },
  PROGRAM_COMMAND: {
    summary: 'A program cannot be run for a stream as it is configured.',
    remedy: 'The message says what is in the way; docs/transcode.md and docs/ingest.md show how it is done.',
  },
  TRANSCODE_LOOP: {
    summary: 'A transcode would take its own output, or that of another transcode, as its input.',
    remedy: 'Limit transcode to an app or a stream, or publish its output under another name.',
  },
  // admission
  CONNECTION_LIMIT: {
    summary: 'The server holds max_connections connections and refused one more.',
    remedy: 'Raise max_connections, or add a server.',
  },
  HOOK_REFUSED: {
    summary: 'A server of http_hooks refused a client.',
    remedy: 'Nothing to do when it was meant; else see the log of that server.',
  },
  HOOK_FAILED: {
    summary: 'A server of http_hooks did not answer in time, or not with what an answer has to be.',
    remedy: 'The message says which server and why; hook_on_error decides what becomes of clients meanwhile.',
  },
  HOOK_DROPPED: {
    summary: 'A server of http_hooks was not told something: too much waits for it, or this server stops.',
    remedy: 'See why that server is slow or down: the lines before it say so.',
  },
  ACCESS_FAILED: {
    summary:
      'A check whether a client may connect, publish or play failed by itself; the client was refused.',
    remedy: 'The line before it in the log says why. It is a bug: please report it.',
  },
  VHOST_UNKNOWN: {
    summary: 'The client asked for a virtual host that is not configured or is not enabled.',
    remedy: 'Add the vhost, or a __defaultVhost__ that takes what no other does.',
  },
  STREAM_BUSY: {
    summary: 'The stream has a publisher already.',
    remedy: 'Stop the other encoder, or set publish { policy replace; }.',
  },
  STREAM_REPLACED: {
    summary: 'Another publisher took the stream over, as its policy allows.',
    remedy: 'Nothing to do when it was meant; else set publish { policy reject; }.',
  },
  SOURCE_LIMIT: {
    summary: 'The server holds max_sources streams and refused one more.',
    remedy: 'Raise max_sources, or add a server.',
  },
  SOURCE_UNAVAILABLE: {
    summary: 'No back-source process could take the stream.',
    remedy: 'The log of the master says why back-source processes do not start.',
  },
  PLAYER_STALLED: {
    summary: 'A player did not read anything for the time it may stall.',
    remedy: 'Its network or the player itself hangs; it may connect again.',
  },
  STREAM_ABSENT: {
    summary: 'The stream that a client wants over HTTP is not published.',
    remedy: 'Publish it, or raise hstrs_timeout for clients that come earlier than their stream.',
  },
  CLIENT_KICKED: {
    summary: 'Somebody closed the connection through the API.',
    remedy: 'Nothing to do when it was meant.',
  },
  ADDRESS_LIMIT: {
    summary: 'An address holds max_connections_per_ip connections and was refused one more.',
    remedy: 'Raise max_connections_per_ip if many real clients share the address.',
  },
  ADDRESS_DENIED: {
    summary: 'The security rules of the virtual host do not let the address publish or play.',
    remedy: 'Add an allow rule for the address, or take the deny rule away.',
  },
  PAGE_DENIED: {
    summary: 'The page that the client is in, or none, is not one that refer names.',
    remedy: 'Add the domain of the page to refer; encoders name no page.',
  },
  TOKEN_MISSING: {
    summary: 'The client has neither the signed URL nor the token that auth asks for.',
    remedy: 'Give it a URL of weir sign, or a token (?token=, Authorization: Bearer).',
  },
  TOKEN_EXPIRED: {
    summary: 'The signed URL or the token of a client is past its time.',
    remedy: 'Give it a new one; check the clocks if it is new.',
  },
  TOKEN_INVALID: {
    summary: 'The signed URL or the token of a client is forged, or is for something else.',
    remedy: 'The message says what does not fit: the stream, the action, a claim.',
  },
  TOKEN_KEYS: {
    summary: 'The keys that tokens are checked with cannot be read or loaded.',
    remedy: 'Check that this server reaches jwks_url; clients are refused meanwhile.',
  },
  TRAVERSE_REFUSED: {
    summary: 'The origin that an edge asks about its clients (token_traverse) refused one.',
    remedy: 'The message carries the reason that the origin gave; see its log.',
  },
  TRAVERSE_FAILED: {
    summary: 'No origin could be asked about a client of an edge (token_traverse); it was refused.',
    remedy: 'The message says what was in the way: see whether the origins run and this server reaches them.',
  },
  BANDWIDTH_KEY: {
    summary: 'A client wants its bandwidth checked with a key that is not that of bandcheck { }.',
    remedy:
      'Give the client the key; or, if it means something else by key= in its URL, switch the check off.',
  },
  BANDWIDTH_TOO_SOON: {
    summary: 'A client wants its bandwidth checked too soon after another check.',
    remedy: 'Try again later, or lower interval of bandcheck { }.',
  },
  // forwarding
  FORWARD_LOOP: {
    summary: 'A stream was forwarded to a server that it has come from.',
    remedy: 'Correct the destinations of the forwards: the stream is not sent there again until they change.',
  },
  FORWARD_DESTINATION: {
    summary: 'What a stream shall be forwarded to is no server, or no RTMP URL.',
    remedy: 'A destination is host or host:port; a backend answers with URLs such as rtmp://host/app/stream.',
  },
  FORWARD_SLOW: {
    summary: 'A server that a stream is forwarded to does not read what it is sent.',
    remedy: 'Check that server and the network to it; it is connected anew.',
  },
  FORWARD_BACKEND: {
    summary: 'The backend that is asked where to forward a stream to gave no usable answer.',
    remedy: 'The message says what it answered; it is asked again. docs/forward.md has what it shall answer.',
  },
  // edges
  UPSTREAM_ABSENT: {
    summary: 'No upstream server has a stream that an edge pulls.',
    remedy: 'Nothing, if nobody publishes it; else see whether it reaches the servers of `origin`.',
  },
  UPSTREAM_SILENT: {
    summary: 'An upstream server has sent nothing for a while; the next one is tried.',
    remedy: 'Check that server and the network to it; `origin_silence` says for how long.',
  },
  UPSTREAM_REFUSED: {
    summary: 'An upstream server answers a request for HTTP-FLV with another status than 200.',
    remedy: 'The message has the status: 404 if it does not have the stream; else see its log.',
  },
  UPSTREAM_LOOP: {
    summary: 'A server wants to pull a stream from one that has it from there itself.',
    remedy: 'Correct `origin`: it names the server itself, or servers name each other in a ring.',
  },
  UPSTREAM_CHANGED: {
    summary:
      'The configuration does not name the server any more that a stream was pulled from, or pushed to.',
    remedy: 'Nothing: the stream goes on by another one.',
  },
  PUSH_REFUSED: {
    summary: 'The origin refused a stream that is published at an edge.',
    remedy: 'The message carries the reason that the origin gave: another publisher, a token, its settings.',
  },
  PUSH_LOST: {
    summary: 'No origin takes a stream that is published at an edge; its publisher was closed or refused.',
    remedy:
      'See whether the origins run and this server reaches them; push_timeout says how long it may last.',
  },
  // HTTP
  HTTP_REQUEST: {
    summary: 'A request for a live stream cannot be answered as it was made.',
    remedy: 'The message says what is wrong with it; the client is to be corrected.',
  },
  HTTP_WEBSOCKET: {
    summary: 'A WebSocket client breaks the protocol, or sends more than a viewer has to say.',
    remedy: 'The client is broken or hostile; nothing to do here.',
  },
  API_DENIED: {
    summary: 'Somebody asked the API without the right password or token.',
    remedy:
      'Give the client the user name and password, or a token, of http_api { auth { } }; or keep it out.',
  },
  API_PAGE: {
    summary: 'A page of another site asked the API for what is not for it.',
    remedy: 'If it is a page of yours, name its origin in http_api { origins }, or ask for a password.',
  },
  VOD_FORMAT: {
    summary: 'A recording is in a container, or has codecs, that cannot be served as asked for.',
    remedy:
      'Recordings are FLV or MP4 with H.264 or HEVC, and AAC or MP3; the message says what is in the way.',
  },
  VOD_BROKEN: {
    summary: 'A recording is broken, has no frames, or changed while it was being read.',
    remedy: 'Check the file with ffprobe.',
  },
  VOD_BUSY: {
    summary: 'More segments of recordings were asked for at once than wait in the queue.',
    remedy: 'Raise threads or queue of http_server { vod { } }, or http_workers; clients may ask again.',
  },
  VOD_THREAD: {
    summary: 'A thread that cuts recordings failed; it is replaced.',
    remedy: 'The message says why. If it names memory, the recording is too long for the memory of a thread.',
  },
  SERVER_SILENT: {
    summary: "The server's processes did not answer the API in time, or too much was asked at once.",
    remedy: 'Ask again; if it repeats, weir ctl status shows which process is busy.',
  },
  HEARTBEAT: {
    summary: 'The server that heartbeats are sent to did not take one.',
    remedy: 'Check that server and heartbeat { url }; it is tried again with the next one.',
  },
  // processes
  IPC_FRAME: {
    summary: 'A frame between two processes is malformed or too long.',
    remedy: 'Processes of different versions talk to each other, or this is a bug: please report it.',
  },
  IPC_VERSION: {
    summary: 'Two processes speak different versions of the internal protocol.',
    remedy: 'Restart the server so that all its processes are of one version.',
  },
  IPC_OVERFLOW: {
    summary: 'A process does not read what is sent to it; its queue is full.',
    remedy: 'The process hangs and is replaced; its log lines say what it did last.',
  },
  PID_FILE: {
    summary: 'The pid file is held by a living server, or cannot be written.',
    remedy: 'Stop the other server, or set another pid file.',
  },
  WORK_DIR: {
    summary: 'The working directory cannot be entered.',
    remedy:
      'Make the directory that work_dir names, or correct the path: it counts from where weir is started.',
  },
  RAM_DIR: {
    summary: 'The directory for what is to be in memory cannot be made, or is on a disk.',
    remedy: 'Set ram_dir to a directory of a tmpfs that this user can write, such as /dev/shm.',
  },
  RUNTIME_DIR: {
    summary: 'The directory for Unix sockets cannot be made or written, or its path is too long.',
    remedy: 'Set runtime_dir to a short path that this user can write.',
  },
  LISTEN: {
    summary: 'A listen address cannot be bound.',
    remedy: 'The message names the address; stop what holds it or change listen.',
  },
  LOG_FILE: {
    summary: 'The log file cannot be opened.',
    remedy: 'Check srs_log_file and the permissions of its directory.',
  },
  WORKER_BOOT: {
    summary: 'A worker process ended before it was ready.',
    remedy: 'The lines above it in the log say why.',
  },
  WORKER_EXIT: {
    summary: 'A worker process ended unexpectedly and is replaced.',
    remedy: 'If it repeats, the lines before it in the log say why.',
  },
  NOT_RUNNING: {
    summary: 'No server is running for this configuration.',
    remedy: 'Start it, or name the configuration it was started with (-c).',
  },
  // cluster
  REDIS: {
    summary: 'The Redis in which the nodes of a cluster write down who owns which stream does not answer.',
    remedy:
      'Check it, and cluster { redis }. Streams go on, new ones are taken, and written down when it is back.',
  },
  STREAM_ELSEWHERE: {
    summary: 'The stream is published at another node of the cluster, which keeps it.',
    remedy:
      'Publish under another name, or stop the publisher there; docs/cluster.md says which of two keeps a stream.',
  },
  NODE_NAME: {
    summary: 'Two servers announce themselves to the cluster under the same name.',
    remedy: 'Give each server a name of its own: cluster { node }.',
  },
  // tools
  BENCH_OPTION: {
    summary: 'weir bench was asked for something that it cannot do.',
    remedy: 'The message says what; weir bench play --help and publish --help list what there is.',
  },
  BANDWIDTH_ABSENT: {
    summary: 'The server that weir bandwidth connected to does not check bandwidths.',
    remedy: 'Enable bandcheck { } of its virtual host, and give the key in the URL: rtmp://host/app?key=K.',
  },
  OPEN_FILES: {
    summary: 'The system lets this process open fewer files than it needs connections.',
    remedy: 'Raise the limit (ulimit -Hn, LimitNOFILE in systemd), or ask for fewer connections.',
  },
  HTTP_RESPONSE: {
    summary: 'What a server answers to weir bench is no HTTP.',
    remedy: 'Check that the port is that of an HTTP server, and what a proxy in between does.',
  },
  HTTP_CLOSED: {
    summary: 'A server closed the connection of a weir bench player, or ended its stream.',
    remedy: 'See the log of the server for its reason.',
  },
  HTTP_TIMEOUT: {
    summary: 'A server did not answer a weir bench player in time.',
    remedy: 'The server or the network is overloaded: use fewer clients, or look what is busy.',
  },
  TS_FORMAT: {
    summary: 'A transport stream that a player of weir bench gets is broken.',
    remedy: 'Load a segment (curl) and check it with ffprobe.',
  },
  HLS_PLAYLIST: {
    summary: 'A playlist that a player of weir bench gets is none, or goes back.',
    remedy: 'Load it (curl) and compare it with RFC 8216; after a restart of the encoder it may be meant.',
  },
  NO_MEDIA: {
    summary: 'A player of weir bench was accepted and got nothing that a decoder can begin with.',
    remedy: 'Check that the stream is published and has key frames.',
  },
  SIGN: {
    summary: 'weir sign cannot sign the URL.',
    remedy: 'The message says why: the URL, the time, or that the configuration has no secret for it.',
  },
} as const satisfies Record<string, { summary: string; remedy: string }>

/** A stable error code: a key of {@link errorTable}. */
export type ErrorCode = keyof typeof errorTable

/** Whether a string, perhaps from another process, is one of our codes. */
export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorTable, code)
}

/** An error with a stable code. The message says what happened here; the table says what it means in general. */
export class WeirError extends Error {
  readonly code: ErrorCode

  /**
   * @param code a key of {@link errorTable}
   * @param message what happened, with the values that matter; one line
   * @param cause the error below this one, if any
   */
  constructor(code: ErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'WeirError'
    this.code = code
  }
}

/** The code of an error for a log line: Weir's own, else the system's (`ECONNRESET`), else `INTERNAL`. */
export function codeOf(error: unknown): string {
  if (error instanceof WeirError) return error.code
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code
  return 'INTERNAL'
}

/** The message of anything that was thrown, on one line. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return text.replaceAll('\n', ' ')
}
