/*
 * A small Plug and Play driver: the function driver of a root-enumerated device.
 *
 * It prints hello in the debugger, passes every Plug and Play and power request down, and unloads cleanly. It has no
 * other function: it is a real driver package to sign, install and load on a test machine:
 *
 *     devcon install hello.inf Root\DrvsignHello
 *
 * `make example` compiles hello.sys with mingw-w64.
 */

#include <ntddk.h>

typedef struct {
    PDEVICE_OBJECT lower;
} HELLO_EXTENSION;

static NTSTATUS NTAPI hello_pass_down(PDEVICE_OBJECT device, PIRP irp)
{
    HELLO_EXTENSION *extension = device->DeviceExtension;

    IoSkipCurrentIrpStackLocation(irp);
    return IofCallDriver(extension->lower, irp);
}

static NTSTATUS NTAPI hello_pnp(PDEVICE_OBJECT device, PIRP irp)
{
    HELLO_EXTENSION *extension = device->DeviceExtension;
    UCHAR request = IoGetCurrentIrpStackLocation(irp)->MinorFunction;
    NTSTATUS status;

    switch (request) {
    case IRP_MN_START_DEVICE:
        DbgPrint("hello: the device starts\n");
        break;
    case IRP_MN_SURPRISE_REMOVAL:
    case IRP_MN_REMOVE_DEVICE:
    case IRP_MN_STOP_DEVICE:
    case IRP_MN_QUERY_REMOVE_DEVICE:
    case IRP_MN_QUERY_STOP_DEVICE:
    case IRP_MN_CANCEL_REMOVE_DEVICE:
    case IRP_MN_CANCEL_STOP_DEVICE:
        irp->IoStatus.Status = STATUS_SUCCESS;
        break;
    default:
        break;
    }

    status = hello_pass_down(device, irp);
    if (request == IRP_MN_REMOVE_DEVICE) {
        DbgPrint("hello: the device goes\n");
        IoDetachDevice(extension->lower);
        IoDeleteDevice(device);
    }
    return status;
}

static NTSTATUS NTAPI hello_add_device(PDRIVER_OBJECT driver, PDEVICE_OBJECT physical)
{
    PDEVICE_OBJECT device;
    HELLO_EXTENSION *extension;
    NTSTATUS status;

    status = IoCreateDevice(driver, sizeof *extension, NULL, FILE_DEVICE_UNKNOWN, FILE_DEVICE_SECURE_OPEN, FALSE,
                            &device);
    if (!NT_SUCCESS(status))
        return status;

    extension = device->DeviceExtension;
    extension->lower = IoAttachDeviceToDeviceStack(device, physical);
    if (!extension->lower) {
        IoDeleteDevice(device);
        return STATUS_NO_SUCH_DEVICE;
    }

    device->Flags |= extension->lower->Flags & DO_POWER_PAGABLE;
    device->Flags &= ~DO_DEVICE_INITIALIZING;
    return STATUS_SUCCESS;
}

static VOID NTAPI hello_unload(PDRIVER_OBJECT driver)
{
    UNREFERENCED_PARAMETER(driver);
    DbgPrint("hello: goodbye\n");
}

/* Neither static nor const, so that the compiler keeps the table and the image has data and relocations. */
struct {
    UCHAR major;
    PDRIVER_DISPATCH dispatch;
} hello_requests[] = {
    { IRP_MJ_PNP, hello_pnp },
    { IRP_MJ_POWER, hello_pass_down },
    { IRP_MJ_SYSTEM_CONTROL, hello_pass_down },
};

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path)
{
    ULONG i;

    DbgPrint("hello: hello from %wZ\n", registry_path);

    driver->DriverExtension->AddDevice = hello_add_device;
    driver->DriverUnload = hello_unload;
    for (i = 0; i < ARRAYSIZE(hello_requests); i++)
        driver->MajorFunction[hello_requests[i].major] = hello_requests[i].dispatch;
    return STATUS_SUCCESS;
}
