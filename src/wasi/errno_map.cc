// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One row for each errno that both sides have.
#include "wasi/errno_map.h"

#include <cerrno>

namespace mayfly::wasi {

namespace {

struct Row {
  int host;
  Errno wasi;
};

constexpr Row kRows[] = {
    {E2BIG, Errno::k2Big},
    {EACCES, Errno::kAcces},
    {EADDRINUSE, Errno::kAddrInUse},
    {EADDRNOTAVAIL, Errno::kAddrNotAvail},
    {EAFNOSUPPORT, Errno::kAfNoSupport},
    {EAGAIN, Errno::kAgain},
    {EALREADY, Errno::kAlready},
    {EBADF, Errno::kBadF},
    {EBADMSG, Errno::kBadMsg},
    {EBUSY, Errno::kBusy},
    {ECANCELED, Errno::kCanceled},
    {ECHILD, Errno::kChild},
    {ECONNABORTED, Errno::kConnAborted},
    {ECONNREFUSED, Errno::kConnRefused},
    {ECONNRESET, Errno::kConnReset},
    {EDEADLK, Errno::kDeadLk},
    {EDESTADDRREQ, Errno::kDestAddrReq},
    {EDOM, Errno::kDom},
    {EDQUOT, Errno::kDQuot},
    {EEXIST, Errno::kExist},
    {EFAULT, Errno::kFault},
    {EFBIG, Errno::kFBig},
    {EHOSTUNREACH, Errno::kHostUnreach},
    {EIDRM, Errno::kIdRm},
    {EILSEQ, Errno::kIlSeq},
    {EINPROGRESS, Errno::kInProgress},
    {EINTR, Errno::kIntr},
    {EINVAL, Errno::kInval},
    {EIO, Errno::kIo},
    {EISCONN, Errno::kIsConn},
    {EISDIR, Errno::kIsDir},
    {ELOOP, Errno::kLoop},
    {EMFILE, Errno::kMFile},
    {EMLINK, Errno::kMLink},
    {EMSGSIZE, Errno::kMsgSize},
    {EMULTIHOP, Errno::kMultiHop},
    {ENAMETOOLONG, Errno::kNameTooLong},
    {ENETDOWN, Errno::kNetDown},
    {ENETRESET, Errno::kNetReset},
    {ENETUNREACH, Errno::kNetUnreach},
    {ENFILE, Errno::kNFile},
    {ENOBUFS, Errno::kNoBufs},
    {ENODEV, Errno::kNoDev},
    {ENOENT, Errno::kNoEnt},
    {ENOEXEC, Errno::kNoExec},
    {ENOLCK, Errno::kNoLck},
    {ENOLINK, Errno::kNoLink},
    {ENOMEM, Errno::kNoMem},
    {ENOMSG, Errno::kNoMsg},
    {ENOPROTOOPT, Errno::kNoProtoOpt},
    {ENOSPC, Errno::kNoSpc},
    {ENOSYS, Errno::kNoSys},
    {ENOTCONN, Errno::kNotConn},
    {ENOTDIR, Errno::kNotDir},
    {ENOTEMPTY, Errno::kNotEmpty},
    {ENOTRECOVERABLE, Errno::kNotRecoverable},
    {ENOTSOCK, Errno::kNotSock},
    {EOPNOTSUPP, Errno::kNotSup},
    {ENOTTY, Errno::kNoTty},
    {ENXIO, Errno::kNxIo},
    {EOVERFLOW, Errno::kOverflow},
    {EOWNERDEAD, Errno::kOwnerDead},
    {EPERM, Errno::kPerm},
    {EPIPE, Errno::kPipe},
    {EPROTO, Errno::kProto},
    {EPROTONOSUPPORT, Errno::kProtoNoSupport},
    {EPROTOTYPE, Errno::kPrototype},
    {ERANGE, Errno::kRange},
    {EROFS, Errno::kRoFs},
    {ESPIPE, Errno::kSPipe},
    {ESRCH, Errno::kSrch},
    {ESTALE, Errno::kStale},
    {ETIMEDOUT, Errno::kTimedOut},
    {ETXTBSY, Errno::kTxtBsy},
    {EXDEV, Errno::kXDev},
};

}  // namespace

Errno from_errno(int errno_value) {
  for (const Row& row : kRows) {
    if (row.host == errno_value) return row.wasi;
  }
  return Errno::kIo;
}

}  // namespace mayfly::wasi
