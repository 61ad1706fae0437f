//! A PKCS#11 module that forwards to another and fails on command.
